import { StringStream } from '@codemirror/language';
import { expect, test } from 'vitest';

import { jinjaSqlParser } from './jinja-sql';

/** Answers what each piece of a text is. */
function read(...lines: string[]): [string, string][] {
  const state = jinjaSqlParser.startState?.(2);
  const pieces: [string, string][] = [];
  for (const line of lines) {
    const stream = new StringStream(line, 2, 2);
    while (!stream.eol() && state) {
      const kind = jinjaSqlParser.token(stream, state);
      if (kind !== null) pieces.push([kind, stream.current()]);
      stream.start = stream.pos;
    }
  }
  return pieces;
}

test('knows keywords in any case', () => {
  expect(read('Select 1 from orders')).toEqual([['keyword', 'Select'], ['number', '1'], ['keyword', 'from']]);
});

test('reads a ref as Jinja with its string', () => {
  expect(read("{{ ref('a') }}")).toEqual([['jinja', '{{'], ['jinja', 'ref'], ['jinja', '('], ['string', "'a'"], ['jinja', ')'], ['jinja', '}}']]);
});

test('goes on with a string of SQL after the Jinja in it', () => {
  expect(read("'a {{ x }} b' c")).toEqual([['string', "'a "], ['jinja', '{{'], ['jinja', 'x'], ['jinja', '}}'], ['string', " b'"]]);
});

test('does not take an apostrophe in a comment for a string', () => {
  expect(read("{# it's", "so #} select")).toEqual([['comment', "{#"], ['comment', " it's"], ['comment', 'so #}'], ['keyword', 'select']]);
});
