import { expect, test } from 'vitest';

import { TEMPLATES, freeName, templateFor } from './templates';

const name = (id: string, ...reads: { name: string; source_name?: string }[]) => TEMPLATES.find((template) => template.id === id)?.name(reads);

test('names a staging model by its source and its table', () => {
  expect(name('staging', { name: 'orders', source_name: 'shop' })).toBe('stg_shop__orders');
});

test('names a mart by what its parent is about', () => {
  expect(name('fact', { name: 'int_orders_joined' })).toBe('fct_orders_joined');
  expect(name('dimension', { name: 'stg_shop__customers' })).toBe('dim_customers');
  expect(name('report')).toBe('rpt_entities');
});

test('proposes the layer after those that are read', () => {
  expect(templateFor([{ name: 'orders', source_name: 'shop' }]).id).toBe('staging');
  expect(templateFor([{ name: 'stg_shop__orders' }, { name: 'stg_shop__payments' }]).id).toBe('intermediate');
  expect(templateFor([{ name: 'int_orders_joined' }]).id).toBe('fact');
  expect(templateFor([{ name: 'fct_orders' }, { name: 'dim_customers' }]).id).toBe('report');
});

test('proposes no name that there is', () => {
  expect(freeName('rpt_orders', new Set(['fct_orders']))).toBe('rpt_orders');
  expect(freeName('rpt_orders', new Set(['rpt_orders', 'rpt_orders_2']))).toBe('rpt_orders_3');
});
