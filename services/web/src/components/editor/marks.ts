import { type Extension, RangeSetBuilder, StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

/** Is something to say about a place of the text. Line and column count from 1. */
export interface Mark {
  line: number;
  column: number;
  severity: string;
  message: string;
}

const setMarks = StateEffect.define<readonly Mark[]>();

function draw(doc: Text, marks: readonly Mark[]): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const sorted = [...marks].sort((a, b) => a.line - b.line || a.column - b.column);
  let lastLine = 0;
  for (const { line: number, column, severity, message } of sorted) {
    if (number < 1 || number > doc.lines) continue;
    const line = doc.line(number);
    const tone = severity === 'error' ? 'bad' : 'warn';
    if (number !== lastLine) builder.add(line.from, line.from, Decoration.line({ class: `cm-marked-${tone}`, attributes: { title: message } }));
    const from = Math.min(line.to, line.from + column - 1);
    const word = /^[\w.]+|^./.exec(line.text.slice(from - line.from))?.[0] ?? '';
    if (number !== lastLine && word !== '') builder.add(from, from + word.length, Decoration.mark({ class: `cm-place-${tone}` }));
    lastLine = number;
  }
  return builder.finish();
}

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(drawn, transaction) {
    const effect = transaction.effects.find((found) => found.is(setMarks));
    return effect ? draw(transaction.state.doc, effect.value) : drawn.map(transaction.changes);
  },
  provide: (drawn) => EditorView.decorations.from(drawn),
});

/** Draws marks at their lines. */
export const marks: Extension = field;

/** Shows other marks. */
export function showMarks(view: EditorView, list: readonly Mark[]): void {
  view.dispatch({ effects: setMarks.of(list) });
}
