import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { MergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';

import type { Language } from './editor';
import { jinjaSql } from './jinja-sql';
import { look } from './look';

export interface MergeProps {
  theirs: string;
  mine: string;
  language: Language;
  /** What stands at the right now: mine, with what was taken of theirs. */
  onChange: (text: string) => void;
}

const LANGUAGES: Record<Language, Extension> = { sql: jinjaSql, yaml: yaml(), text: [] };

/** Shows two texts beside each other; what is theirs is taken over by the arrows between them, or by hand. */
export default function Merge({ theirs, mine, language, onChange }: MergeProps) {
  const parent = useRef<HTMLDivElement>(null);
  const change = useRef(onChange);
  const first = useRef({ theirs, mine, language });
  useEffect(() => {
    change.current = onChange;
  });
  useEffect(() => {
    if (!parent.current) return;
    const { theirs: left, mine: right, language: of } = first.current;
    const shared = (label: string) => [lineNumbers(), LANGUAGES[of], look, EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' })];
    const view = new MergeView({
      a: { doc: left, extensions: [...shared('Theirs'), EditorState.readOnly.of(true), EditorView.editable.of(false)] },
      b: {
        doc: right,
        extensions: [
          ...shared('Mine, to be saved'),
          history(),
          keymap.of([...historyKeymap, ...defaultKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) change.current(update.state.doc.toString());
          }),
        ],
      },
      parent: parent.current,
      revertControls: 'a-to-b',
      gutter: true,
    });
    return () => view.destroy();
  }, []);
  return <div ref={parent} />;
}
