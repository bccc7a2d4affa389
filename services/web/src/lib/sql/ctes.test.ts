import { expect, test } from 'vitest';

import { cteAt, ctesOf } from './ctes';

const SQL = `{{ config(materialized='table') }}
with a as (
    select ')' as bracket, {{ call("x)") }} from t -- )
),

/* the second */
b as not materialized (select (1) from a)

select * from b`;

test('lists the CTEs of a statement', () => {
  expect(ctesOf(SQL).map(({ name }) => name)).toEqual(['a', 'b']);
});

test('finds the one around a place', () => {
  expect(cteAt(SQL, SQL.indexOf('bracket'))?.name).toBe('a');
  expect(cteAt(SQL, SQL.indexOf('(1)'))?.name).toBe('b');
  expect(cteAt(SQL, SQL.length)).toBeUndefined();
});

test('has none where there is no with, or it is not written yet', () => {
  expect(ctesOf('select 1')).toEqual([]);
  expect(ctesOf('with ')).toEqual([]);
  expect(ctesOf('with a as (select 1').map(({ name }) => name)).toEqual(['a']);
});
