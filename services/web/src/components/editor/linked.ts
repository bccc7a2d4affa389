import { type Extension, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

const setLinked = StateEffect.define<readonly number[]>();
const line = Decoration.line({ class: 'cm-linked' });

/** Draws the lines that belong to the one that is looked at in the other text. */
export const linked: Extension = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(drawn, transaction) {
    const effect = transaction.effects.find((found) => found.is(setLinked));
    if (!effect) return drawn.map(transaction.changes);
    const builder = new RangeSetBuilder<Decoration>();
    const { doc } = transaction.state;
    for (const number of [...effect.value].sort((a, b) => a - b)) if (number >= 1 && number <= doc.lines) builder.add(doc.line(number).from, doc.line(number).from, line);
    return builder.finish();
  },
  provide: (drawn) => EditorView.decorations.from(drawn),
});

/** Shows other linked lines, and brings the first into sight. */
export function showLinked(view: EditorView, lines: readonly number[]): void {
  const [first] = lines;
  const seen = first !== undefined && first <= view.state.doc.lines ? [EditorView.scrollIntoView(view.state.doc.line(Math.max(1, first)).from, { y: 'nearest', yMargin: 40 })] : [];
  view.dispatch({ effects: [setLinked.of(lines), ...seen] });
}
