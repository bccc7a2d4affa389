import { type Extension, type Text } from '@codemirror/state';
import { EditorView, GutterMarker, gutter } from '@codemirror/view';

import { ctesOf } from '@/lib/sql/ctes';

class PreviewMarker extends GutterMarker {
  constructor(private readonly name: string) {
    super();
  }

  override eq(other: GutterMarker): boolean {
    return other instanceof PreviewMarker && other.name === this.name;
  }

  override toDOM(): Node {
    const mark = document.createElement('span');
    mark.className = 'cm-cte';
    mark.textContent = '▷';
    mark.title = `Preview the rows of ${this.name} (Alt Enter)`;
    return mark;
  }
}

/** Remembers the CTEs of the text that was asked for last: the gutter asks for each line. */
function cached(): (doc: Text) => { name: string; line: number }[] {
  let last: { doc: Text; ctes: { name: string; line: number }[] } | undefined;
  return (doc) => {
    if (last?.doc !== doc) last = { doc, ctes: ctesOf(doc.toString()).map(({ name, from }) => ({ name, line: doc.lineAt(from).number })) };
    return last.ctes;
  };
}

/** Offers beside the first line of each CTE to show its rows. */
export function cteGutter(onPreview: (cte: string) => void): Extension {
  const ctes = cached();
  const find = (view: EditorView, from: number) => {
    const line = view.state.doc.lineAt(from).number;
    return ctes(view.state.doc).find((cte) => cte.line === line);
  };
  return gutter({
    class: 'cm-ctes',
    lineMarker: (view, line) => {
      const found = find(view, line.from);
      return found ? new PreviewMarker(found.name) : null;
    },
    lineMarkerChange: (update) => update.docChanged,
    domEventHandlers: {
      mousedown(view, line) {
        const found = find(view, line.from);
        if (found) onPreview(found.name);
        return found !== undefined;
      },
    },
  });
}

/** Leads to the definition of what is pressed with Ctrl, or stands at the cursor when F12 is pressed. */
export function definitions(go: (text: string, at: number) => boolean): Extension {
  return EditorView.domEventHandlers({
    mousedown(event, view) {
      if (!(event.ctrlKey || event.metaKey) || event.button !== 0) return false;
      const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
      return at !== null && go(view.state.doc.toString(), at);
    },
    keydown(event, view) {
      return event.key === 'F12' && go(view.state.doc.toString(), view.state.selection.main.head);
    },
  });
}
