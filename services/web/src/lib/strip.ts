import { createStore } from './store';

/** Is what a gesture wrote: shown in one strip, the last one only. */
export interface Wrote {
  summary: string;
  files: { path: string; moved_to?: string | null; added: number; removed: number }[];
  /** The event, where the files changed. */
  eventId: string | null;
}

/** Says what the last gesture came to. */
export type Said = { at: number } & (
  | { kind: 'wrote'; wrote: Wrote }
  | { kind: 'started'; runId: string; number: number | null }
  | { kind: 'refused'; code: string; detail: string }
);

/** Holds what the strip shows. */
export const strip = createStore<Said | null>(null);

/** Shows what a gesture wrote. */
export function sayWrote(wrote: Wrote): void {
  strip.set({ at: Date.now(), kind: 'wrote', wrote });
}

/** Shows why a gesture was refused. */
export function sayRefused(code: string, detail: string): void {
  strip.set({ at: Date.now(), kind: 'refused', code, detail });
}

/** Shows that a run was started. */
export function sayStarted(runId: string, number: number | null): void {
  strip.set({ at: Date.now(), kind: 'started', runId, number });
}
