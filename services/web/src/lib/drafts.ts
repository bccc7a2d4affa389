import { readLocal, writeLocal } from './local';
import { createStore, useStorePart } from './store';

/** Is a text that was typed and not saved. */
export interface Draft {
  text: string;
  /** The version of the branch that it was made on. */
  base: number;
}

const PREFIX = 'dvt.draft.';
const keyOf = (project: string, path: string) => `${PREFIX}${project}.${path}`;

function paths(project: string): string[] {
  const prefix = keyOf(project, '');
  const found: string[] = [];
  for (let at = 0; at < localStorage.length; at += 1) {
    const key = localStorage.key(at);
    if (key?.startsWith(prefix) === true) found.push(key.slice(prefix.length));
  }
  return found.sort();
}

/** Counts changes of drafts: who watches one reads it again. */
const changes = createStore(0);
/** The drafts as they were read last: the same text is the same draft. */
const parsed = new Map<string, { kept: string; draft: Draft }>();

/** Answers the draft of a file, which the browser keeps over reloads. */
export function draftOf(project: string, path: string): Draft | null {
  const key = keyOf(project, path);
  const kept = readLocal(key);
  if (kept === null) return null;
  const known = parsed.get(key);
  if (known?.kept === kept) return known.draft;
  const draft = JSON.parse(kept) as Draft;
  parsed.set(key, { kept, draft });
  return draft;
}

/** Keeps the draft of a file, or drops it. */
export function keepDraft(project: string, path: string, draft: Draft | null): void {
  writeLocal(keyOf(project, path), draft && JSON.stringify(draft));
  changes.set(changes.get() + 1);
}

/** Watches the draft of a file. */
export function useDraft(project: string, path: string): Draft | null {
  return useStorePart(changes, () => draftOf(project, path));
}

/** Lists the files of a project that have a draft. */
export function useDraftPaths(project: string): string[] {
  const list = useStorePart(changes, () => paths(project).join('\n'));
  return list === '' ? [] : list.split('\n');
}
