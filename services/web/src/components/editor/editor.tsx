import { type CompletionSource, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, indentOnInput, indentUnit } from '@codemirror/language';
import { unifiedMergeView } from '@codemirror/merge';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useLayoutEffect, useRef } from 'react';

import { cteAt } from '@/lib/sql/ctes';

import { cteGutter, definitions } from './gestures';
import { jinjaSql } from './jinja-sql';
import { linked, showLinked } from './linked';
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
  /** Shows the rows of a CTE of the text. */
  onPreviewCte?: (cte: string) => void;
  onRun?: () => void;
  /** Goes to the definition of what stands at a place; false where there is none. */
  onGo?: (text: string, at: number) => boolean;
  /** Where the cursor is, from 1. */
  onLine?: (line: number) => void;
  /** The lines that belong to the one that is looked at in another text. */
  linkedLines?: readonly number[];
  /** The text that this one is compared with; what changed is drawn. */
  original?: string | null;
}

const LANGUAGES: Record<Language, Extension> = { sql: jinjaSql, yaml: yaml(), text: [] };
const NO_MARKS: readonly Mark[] = [];
const NO_LINES: readonly number[] = [];
const comparison = new Compartment();
/** Marks a text that was put in, not typed. */
const putIn = Annotation.define<boolean>();

/** What the editor calls: always the newest, without making the editor anew. */
type Calls = { current: Pick<EditorProps, 'onChange' | 'onSave' | 'onPreview' | 'onPreviewCte' | 'onRun' | 'onGo' | 'onLine' | 'complete'> };

function keys(calls: Calls): Extension {
  const call = (what: 'onSave' | 'onPreview' | 'onRun') => () => {
    calls.current[what]?.();
    return calls.current[what] !== undefined;
  };
  return Prec.highest(
    keymap.of([
      { key: 'Mod-s', run: call('onSave'), preventDefault: true },
      { key: 'Mod-Enter', run: call('onPreview') },
      { key: 'Mod-Shift-Enter', run: call('onRun') },
      {
        key: 'Alt-Enter',
        run: ({ state }) => {
          const cte = cteAt(state.doc.toString(), state.selection.main.head);
          if (cte) calls.current.onPreviewCte?.(cte.name);
          return calls.current.onPreviewCte !== undefined;
        },
      },
    ]),
  );
}

function compared(original: string | null | undefined): Extension {
  return original == null ? [] : unifiedMergeView({ original, mergeControls: false, highlightChanges: false });
}

function extensions(calls: Calls, { language, label, readOnly = false, original, onPreviewCte, onGo }: EditorProps): Extension {
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
    linked,
    comparison.of(compared(original)),
    onPreviewCte ? cteGutter((cte) => calls.current.onPreviewCte?.(cte)) : [],
    onGo ? definitions((text, at) => calls.current.onGo?.(text, at) ?? false) : [],
    keys(calls),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, indentWithTab, ...defaultKeymap]),
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    readOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : writing,
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((transaction) => transaction.annotation(putIn))) calls.current.onChange?.(update.state.doc.toString());
      if (update.selectionSet) calls.current.onLine?.(update.state.doc.lineAt(update.state.selection.main.head).number);
    }),
  ];
}

function goTo(view: EditorView, number: number): void {
  const line = view.state.doc.line(Math.min(Math.max(1, number), view.state.doc.lines));
  view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
}

/** Edits a text. Give it a `key` of what is edited: its undo belongs to that. */
export default function Editor(props: EditorProps) {
  const { value, marks: list = NO_MARKS, line, linkedLines = NO_LINES, original, onChange, onSave, onPreview, onPreviewCte, onRun, onGo, onLine, complete } = props;
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const calls = useRef<Calls['current']>({});
  const first = useRef(props);
  useEffect(() => {
    calls.current = { onChange, onSave, onPreview, onPreviewCte, onRun, onGo, onLine, complete };
  });
  useEffect(() => {
    if (!parent.current) return;
    const state = EditorState.create({ doc: first.current.value, extensions: extensions(calls, first.current) });
    view.current = new EditorView({ state, parent: parent.current });
    return () => view.current?.destroy();
  }, []);
  // Before the next key: a later effect would put an older text over what is typed meanwhile.
  useLayoutEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() === value) return;
    shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: value }, annotations: putIn.of(true) });
  }, [value]);
  useEffect(() => {
    if (view.current) showMarks(view.current, list);
  }, [list, value]);
  useEffect(() => {
    if (view.current) showLinked(view.current, linkedLines);
  }, [linkedLines]);
  useEffect(() => {
    view.current?.dispatch({ effects: comparison.reconfigure(compared(original)) });
  }, [original]);
  useEffect(() => {
    if (view.current && line !== undefined) goTo(view.current, line);
  }, [line]);
  return <div ref={parent} style={{ height: '100%', minHeight: 0, overflow: 'hidden' }} />;
}
