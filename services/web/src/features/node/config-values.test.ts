import { expect, test } from 'vitest';

import { kindOf, originWords, typedValue } from './config-values';

test('says where a value was set', () => {
  expect(originWords({ layer: 'dbt_project.yml', place: { path: 'dbt_project.yml', line: 14, column: 3 } })).toBe('dbt_project.yml:14');
  expect(originWords({ layer: 'config()', place: { path: 'models/marts/fct.sql', line: 2, column: 1 } })).toBe('fct.sql:2');
  expect(originWords({ layer: 'default' })).toBe('default');
});

test('offers a list for what has one, and JSON for the rest', () => {
  expect(kindOf('materialized', 'table').kind).toBe('choice');
  expect(kindOf('materialized', 'my_own').kind).toBe('text');
  expect(kindOf('tags', ['a']).kind).toBe('words');
  expect(kindOf('grants', { select: ['r'] }).kind).toBe('json');
});

test('reads what was typed', () => {
  expect(typedValue('words', 'a, b,')).toEqual(['a', 'b']);
  expect(typedValue('flag', 'false')).toBe(false);
  expect(typedValue('json', '{')).toBeUndefined();
  expect(typedValue('text', ' ')).toBeNull();
});
