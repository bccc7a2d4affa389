import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { expect, test } from 'vitest';

import { completeSql } from './complete';
import { definitionAt } from './definition';
import type { Known, Named } from './names';

function node(unique_id: string, members: Partial<Named>): Named {
  const [resource_type = '', , name = ''] = unique_id.split('.');
  return { unique_id, resource_type, name, package: 'shop', ...members };
}

const names: Known['names'] = {
  macros: [{ name: 'cents', package: 'shop', arguments: ['amount'], description: '', place: { path: 'macros/cents.sql', line: 1 } }],
  vars: [{ name: 'season', value: 2026 }],
  columns: { 'model.shop.orders': ['order_id', 'amount'], 'model.shop.people': ['person_id'] },
};
const known: Known = {
  nodes: [node('model.shop.orders', {}), node('model.shop.people', {}), node('source.shop.raw', { source_name: 'bank' })],
  names,
};

/** Completes at the end of a text. */
function complete(text: string): string[] {
  const context = new CompletionContext(EditorState.create({ doc: text }), text.length, true);
  const found = completeSql(() => known)(context);
  return found && 'options' in found ? found.options.map(({ label }) => label) : [];
}

test('completes refs, sources with their tables, and vars', () => {
  expect(complete("select * from {{ ref('")).toEqual(['orders', 'people']);
  expect(complete("{{ source('")).toEqual(['bank']);
  expect(complete("{{ source('bank', 'r")).toEqual(['raw']);
  expect(complete("{{ var('se")).toEqual(['season']);
});

test('completes macros inside of Jinja only', () => {
  expect(complete('{{ ce')).toContain('cents');
  expect(complete('select ce')).not.toContain('cents');
});

test('completes the columns of what is read; after a CTE those that it reads', () => {
  const text = "with o as (select * from {{ ref('orders') }}), p as (select * from {{ ref('people') }}) select ";
  expect(complete(text)).toEqual(['o', 'p', 'order_id', 'amount', 'person_id']);
  expect(complete(`${text}p.`)).toEqual(['person_id']);
});

test('leads to what a ref, a source or a macro names', () => {
  const text = "select {{ cents('a') }} from {{ ref('orders') }} join {{ source('bank', 'raw') }}";
  expect(definitionAt(known, text, text.indexOf('cents') + 1)).toEqual({ path: 'macros/cents.sql', line: 1 });
  expect(definitionAt(known, text, text.indexOf('orders') + 1)).toEqual({ node: 'model.shop.orders' });
  expect(definitionAt(known, text, text.indexOf('bank') + 1)).toEqual({ node: 'source.shop.raw' });
  expect(definitionAt(known, text, 2)).toBeUndefined();
});
