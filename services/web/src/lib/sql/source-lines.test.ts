import { expect, test } from 'vitest';

import { lineMap } from './source-lines';

test('matches copied lines one by one, and what a template made with its line', () => {
  const source = "é\nselect\n  {{ x }}\nfrom t";
  const output = "é\nselect\n  a,\n  b\nfrom t";
  const spans = [
    { path: 'm.sql', output: [0, 12], source: [0, 12] },
    { path: 'm.sql', output: [12, 18], source: [12, 19] },
    { path: 'm.sql', output: [18, 25], source: [19, 26] },
    { path: 'macros/x.sql', output: [12, 18], source: [0, 6] },
  ];
  const { toOutput, toSource } = lineMap(spans, 'm.sql', source, output);
  expect(toOutput.get(2)).toEqual([2]);
  expect(toOutput.get(3)).toEqual([3, 4]);
  expect(toSource.get(4)).toEqual([3]);
  expect(toSource.get(5)).toEqual([4]);
});
