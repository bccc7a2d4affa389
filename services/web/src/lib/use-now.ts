import { createStore, useStore } from './store';

const EVERY_MS = 10_000;
const now = createStore(Date.now());
let timer: ReturnType<typeof setInterval> | undefined;

/** Answers the time, anew every ten seconds, so that "2 min ago" stays true. */
export function useNow(): number {
  timer ??= setInterval(() => now.set(Date.now()), EVERY_MS);
  return useStore(now);
}
