import { expect, test } from 'vitest';

import { completeSelect } from './select-complete';

const of = (name: string, members = {}) => ({ name, resource_type: 'model', path: `models/marts/${name}.sql`, tags: [] as string[], package: 'shop', ...members });
const nodes = [of('orders', { tags: ['nightly'] }), of('order_items'), of('raw', { resource_type: 'source', source_name: 'bank', path: 'models/_s.yml' })];

test('completes the last word, with what stands before it', () => {
  expect(completeSelect(nodes, 'tag:x +ord').map(({ select }) => select)).toEqual(['tag:x +orders', 'tag:x +order_items']);
});

test('knows methods', () => {
  expect(completeSelect(nodes, 'nigh').map(({ label }) => label)).toEqual(['tag:nightly']);
  expect(completeSelect(nodes, 'source:').map(({ label }) => label)).toEqual(['source:bank', 'source:bank.raw']);
  expect(completeSelect(nodes, 'path:models/m').map(({ label }) => label)).toEqual(['path:models/marts']);
});

test('offers nothing for nothing, nor for what is complete', () => {
  expect(completeSelect(nodes, '')).toEqual([]);
  expect(completeSelect(nodes, 'orders')).toEqual([]);
});
