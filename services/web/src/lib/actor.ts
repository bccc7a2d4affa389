import { readLocal, writeLocal } from './local';
import { createStore } from './store';

const KEY = 'dvt.actor';
/** What the history says until the user gave a name. */
const NOBODY = 'someone';

/** Holds the name under which the history knows this user; empty until it was given. */
export const actor = createStore(readLocal(KEY) ?? '');

/** Gives the name and remembers it. */
export function nameActor(name: string): void {
  writeLocal(KEY, name.trim() || null);
  actor.set(name.trim());
}

/** Answers the name as a header: its UTF-8 bytes, each as one character. */
export function actorHeader(): string {
  return String.fromCharCode(...new TextEncoder().encode(actor.get() || NOBODY));
}

/** Answers an actor of the log as people call it. */
export function actorName(recorded: string): string {
  return recorded.replace(/^local:/, '');
}
