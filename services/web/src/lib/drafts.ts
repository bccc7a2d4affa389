import { useCallback, useState } from 'react';

import { readLocal, writeLocal } from './local';
import { createStore, useStore } from './store';

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

/** Counts changes of drafts, so that lists of them are read again. */
const changes = createStore(0);

function read(project: string, path: string): Draft | null {
  const text = readLocal(keyOf(project, path));
  return text === null ? null : (JSON.parse(text) as Draft);
}

/** Answers the draft of a file, kept by the browser over reloads, and how to change or drop it. */
export function useDraft(project: string, path: string): [Draft | null, (draft: Draft | null) => void] {
  const [held, setHeld] = useState({ project, path, draft: read(project, path) });
  if (held.project !== project || held.path !== path) setHeld({ project, path, draft: read(project, path) });
  const change = useCallback(
    (draft: Draft | null) => {
      const had = readLocal(keyOf(project, path)) !== null;
      writeLocal(keyOf(project, path), draft && JSON.stringify(draft));
      setHeld({ project, path, draft });
      if (had !== (draft !== null)) changes.set(changes.get() + 1);
    },
    [project, path],
  );
  return [held.draft, change];
}

/** Lists the files of a project that have a draft. */
export function useDraftPaths(project: string): string[] {
  useStore(changes);
  return paths(project);
}
