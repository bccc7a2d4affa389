import { expect, test } from 'vitest';

import { together } from './columns';

test('brings declared and actual columns together', () => {
  const declared = ['b', 'gone'].map((name) => ({ name, description: '', tests: [] }));
  const columns = ['a', 'B'].map((name, ordinal) => ({ name, type: 'int4', nullable: true, ordinal }));
  const relation = { state: 'found' as const, schema: 's', name: 'n', kind: 'table', columns, ms: 1 };
  expect(together(declared, relation).map(({ name, declared: entry, actual }) => [name, entry !== undefined, actual?.type])).toEqual([
    ['a', false, 'int4'],
    ['b', true, 'int4'],
    ['gone', true, undefined],
  ]);
  expect(together(declared, undefined).map(({ name }) => name)).toEqual(['b', 'gone']);
});
