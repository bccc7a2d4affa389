import { useEffect } from 'react';

import { type Draft, draftOf, keepDraft, useDraft } from './drafts';

/** Is a file as it was read. */
export interface Read {
  path: string;
  text: string;
  version: number;
}

/** Is a file while somebody edits it. */
export interface Editing {
  /** What the editor shows: the draft where there is one. */
  text: string;
  isDirty: boolean;
  /** The version of the branch that the text was made on. */
  base: number;
  change: (text: string) => void;
  /** Drops what was typed. */
  discard: () => void;
  /** Says that a text was saved: the draft goes, unless somebody typed on. Works after the editor was closed, too. */
  saved: (text: string, version: number) => void;
}

/** Edits a file through a draft that the browser keeps until it is saved. */
export function useEditing(project: string, { path, text, version }: Read): Editing {
  const draft = useDraft(project, path);
  const keep = (next: Draft | null) => keepDraft(project, path, next);
  // A draft that says what was read is saved: the page was left before it could go.
  const isSaved = draft?.text === text;
  useEffect(() => {
    if (isSaved) keepDraft(project, path, null);
  }, [project, path, isSaved]);
  return {
    text: draft?.text ?? text,
    isDirty: draft !== null && draft.text !== text,
    base: draft?.base ?? version,
    change: (typed) => keep(typed === text ? null : { text: typed, base: draftOf(project, path)?.base ?? version }),
    discard: () => keep(null),
    saved: (written, at) => {
      // As it is now: the caller began to save some time ago.
      const now = draftOf(project, path);
      if (now) keep(now.text === written ? null : { ...now, base: at });
    },
  };
}
