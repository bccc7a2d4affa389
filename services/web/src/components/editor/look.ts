import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--code-keyword)' },
  { tag: tags.typeName, color: 'var(--code-keyword)' },
  { tag: tags.string, color: 'var(--code-string)' },
  { tag: tags.number, color: 'var(--code-number)' },
  { tag: [tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: tags.comment, color: 'var(--code-comment)', fontStyle: 'italic' },
  { tag: tags.special(tags.variableName), color: 'var(--code-jinja)' },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--code-keyword)' },
  { tag: tags.meta, color: 'var(--code-comment)' },
]);

const frame = EditorView.theme({
  '&': { height: '100%', fontSize: 'var(--t2)', backgroundColor: 'transparent', color: 'var(--text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6', overflow: 'auto' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--accent)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--faint)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '38px', padding: '0 12px 0 0' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--line2) 55%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-bg) !important' },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-bg)', outline: '1px solid var(--line3)' },
  '.cm-marked-bad': { backgroundColor: 'var(--bad-bg)' },
  '.cm-marked-warn': { backgroundColor: 'var(--warn-bg)' },
  '.cm-place-bad': { textDecoration: 'underline wavy var(--bad) 1px', textUnderlineOffset: '3px' },
  '.cm-place-warn': { textDecoration: 'underline wavy var(--warn) 1px', textUnderlineOffset: '3px' },
  '.cm-linked': { backgroundColor: 'var(--accent-bg)' },
  '.cm-ctes': { width: '14px' },
  '.cm-cte': { color: 'var(--accent)', cursor: 'pointer', fontSize: '10px' },
  '.cm-changedLine': { backgroundColor: 'var(--ok-bg) !important' },
  '.cm-deletedChunk': { backgroundColor: 'var(--bad-bg) !important', color: 'var(--bad)', paddingLeft: '6px' },
  '.cm-changeGutter .cm-changedLineGutter': { backgroundColor: 'var(--ok)' },
  '.cm-changeGutter .cm-deletedLineGutter': { backgroundColor: 'var(--bad)' },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-panels input, .cm-panels button': { fontFamily: 'var(--font)', fontSize: 'var(--t2)' },
  '.cm-searchMatch': { backgroundColor: 'var(--warn-bg)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line)', borderRadius: 'var(--r1)', boxShadow: 'var(--shadow-high)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-bg)', color: 'var(--accent)' },
});

/** Makes the editor look as the rest of the page. */
export const look = [frame, syntaxHighlighting(colours)];
