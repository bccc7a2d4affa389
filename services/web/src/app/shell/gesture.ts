import { createStore } from '@/lib/store';

/** Is an edit of the graph that a dialog asks about. */
export type Gesture = { kind: 'add'; from: string[] } | { kind: 'connect'; id: string } | { kind: 'remove'; ids: string[] };

/** Holds the gesture that is under way: it begins on the canvas, in the panel of a node, or in the palette. */
export const gesture = createStore<Gesture | null>(null);
