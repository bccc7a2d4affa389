import { type CompletionSource, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, indentOnInput, indentUnit } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';

import { jinjaSql } from './jinja-sql';
import { look } from './look';
import { type Mark, marks, showMarks } from './marks';

export type Language = 'sql' | 'yaml' | 'text';

export interface EditorProps {
  /** The text; another text than the editor has replaces it. */
  value: string;
  language: Language;
  /** Says what is edited, to whoever cannot see it. */
  label: string;
  readOnly?: boolean;
  marks?: readonly Mark[];
  /** The line to go to, from 1. */
  line?: number | undefined;
  /** What may be completed here. */
  complete?: CompletionSource;
  onChange?: (text: string) => void;
  onSave?: () => void;
  onPreview?: () => void;
}

const LANGUAGES: Record<Language, Extension> = { sql: jinjaSql, yaml: yaml(), text: [] };
const NO_MARKS: readonly Mark[] = [];

/** What the editor calls: always the newest, without making the editor anew. */
type Calls = { current: Pick<EditorProps, 'onChange' | 'onSave' | 'onPreview' | 'complete'> };

function keys(calls: Calls): Extension {
  const call = (what: 'onSave' | 'onPreview') => () => {
    calls.current[what]?.();
    return calls.current[what] !== undefined;
  };
  return Prec.highest(
    keymap.of([
      { key: 'Mod-s', run: call('onSave'), preventDefault: true },
      { key: 'Mod-Enter', run: call('onPreview') },
    ]),
  );
}

function extensions(calls: Calls, { language, label, readOnly = false }: EditorProps): Extension {
  const complete: CompletionSource = (context) => calls.current.complete?.(context) ?? null;
  const writing = [history(), closeBrackets(), indentOnInput(), autocompletion({ override: [complete], icons: false }), highlightActiveLine(), highlightActiveLineGutter()];
  return [
    lineNumbers(),
    drawSelection(),
    bracketMatching(),
    highlightSelectionMatches(),
    search({ top: true }),
    indentUnit.of('  '),
    LANGUAGES[language],
    look,
    marks,
    keys(calls),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, indentWithTab, ...defaultKeymap]),
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    readOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : writing,
    EditorView.updateListener.of((update) => {
      if (update.docChanged) calls.current.onChange?.(update.state.doc.toString());
    }),
  ];
}

function goTo(view: EditorView, number: number): void {
  const line = view.state.doc.line(Math.min(Math.max(1, number), view.state.doc.lines));
  view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
}

/** Edits a text. Give it a `key` of what is edited: its undo belongs to that. */
export default function Editor(props: EditorProps) {
  const { value, marks: list = NO_MARKS, line, onChange, onSave, onPreview, complete } = props;
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const calls = useRef<Calls['current']>({});
  const first = useRef(props);
  useEffect(() => {
    calls.current = { onChange, onSave, onPreview, complete };
  });
  useEffect(() => {
    if (!parent.current) return;
    const state = EditorState.create({ doc: first.current.value, extensions: extensions(calls, first.current) });
    view.current = new EditorView({ state, parent: parent.current });
    return () => view.current?.destroy();
  }, []);
  useEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() === value) return;
    shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    if (view.current) showMarks(view.current, list);
  }, [list, value]);
  useEffect(() => {
    if (view.current && line !== undefined) goTo(view.current, line);
  }, [line]);
  return <div ref={parent} style={{ height: '100%', minHeight: 0, overflow: 'hidden' }} />;
}
