import { createStore } from '@/lib/store';

/** Is something that a dialog asks about. */
export type Gesture =
  | { kind: 'add'; from: string[] }
  | { kind: 'source' }
  | { kind: 'rename'; id: string }
  | { kind: 'connect'; id: string }
  | { kind: 'remove'; ids: string[] }
  | { kind: 'plan' }
  | { kind: 'new-file' }
  | { kind: 'move-file' | 'remove-file'; path: string }
  | { kind: 'new-environment' };

/** Holds the gesture that is under way: it begins on the page that it is about, or in the palette. */
export const gesture = createStore<Gesture | null>(null);
