import { expect, test } from 'vitest';

import type { GraphNode } from '@/api/schema';

import { groupsOf, viewOf } from './groups';
import { edgeHeat, highlightOf, nodeMark } from './highlight';
import { frameOf } from './layout';
import { around, keyOf, modelOf, only, reach } from './model';
import { layOutStages } from './stages';
import { statesOf } from './states';
import { walk } from './walk';

function node(name: string, members: Partial<GraphNode> = {}): GraphNode {
  const id = `model.shop.${name}`;
  return { unique_id: id, node_key: name, name, resource_type: 'model', package: 'shop', path: `models/${name}.sql`, folder: '', database: 'd', schema: 's', alias: name, tags: [], description: '', tests: [], problems: { errors: 0, warnings: 0 }, ...members };
}

/** raw -> stg -> fct -> rpt, and raw -> other. */
const model = modelOf({
  nodes: [node('raw'), node('stg'), node('fct'), node('rpt'), node('other')],
  edges: [[0, 1], [1, 2], [2, 3], [0, 4]],
});


test('reaches what is up and down, at most so far', () => {
  expect([...reach(model.children, 'raw')]).toEqual(['stg', 'other', 'fct', 'rpt']);
  expect([...reach(model.parents, 'rpt', 2)]).toEqual(['fct', 'stg']);
  expect([...around(model, 'stg', 1)].sort()).toEqual(['fct', 'raw', 'stg']);
});

test('ends on a cycle', () => {
  const cycle = modelOf({ nodes: [node('a'), node('b')], edges: [[0, 1], [1, 0]] });
  expect([...reach(cycle.children, 'a')]).toEqual(['b']);
});

test('keeps a part with its edges', () => {
  const part = only(model, new Set(['raw', 'stg']));
  expect(part.edges).toEqual([['raw', 'stg']]);
  expect(part.children.get('raw')).toEqual(['stg']);
});

test('finds a node by its unique_id', () => {
  expect(keyOf(model, 'model.shop.fct')).toBe('fct');
  expect(keyOf(model, 'model.shop.nobody')).toBeUndefined();
});

test('heats the edges of the center, and warms those of its lineage', () => {
  const highlight = highlightOf(model, 'fct', undefined, null);
  expect(edgeHeat(highlight, 'stg', 'fct')).toBe('hot');
  expect(edgeHeat(highlight, 'raw', 'stg')).toBe('warm');
  expect(edgeHeat(highlight, 'raw', 'other')).toBe('cold');
});

test('dims what a selector does not find, but never what is selected', () => {
  const highlight = highlightOf(model, 'fct', undefined, new Set(['raw']));
  expect(['raw', 'fct', 'rpt'].map((key) => nodeMark(highlight, key))).toEqual(['plain', 'selected', 'dim']);
});

test('walks along edges sideways and within a column up and down', () => {
  const positions = new Map([['raw', { x: 0, y: 0 }], ['stg', { x: 300, y: 0 }], ['other', { x: 300, y: 80 }], ['fct', { x: 600, y: 0 }]]);
  expect(walk(model, positions, 'raw', 'right')).toBe('stg');
  expect(walk(model, positions, 'stg', 'down')).toBe('other');
  expect(walk(model, positions, 'other', 'left')).toBe('raw');
  expect(walk(model, positions, 'other', 'right')).toBeUndefined();
});

test('counts the tests of a node, and keeps what did not change', () => {
  const nodes = [node('fct', { tests: ['t1', 't2'] })];
  const step = (unique_id: string, state: string) => ({ unique_id, node_key: unique_id, name: unique_id, state, attempt: 1, reason: '', resource_type: 'test' });
  const steps = [step('model.shop.fct', 'succeeded'), step('t1', 'succeeded'), step('t2', 'failed')];
  const first = statesOf(nodes, steps, new Map());
  expect(first.get('fct')).toMatchObject({ passed: 1, failed: 1, status: { word: 'succeeded' } });
  expect(statesOf(nodes, steps, first).get('fct')).toBe(first.get('fct'));
});

/** Two tables of one source, read by a model each; both models stand in one folder. */
const shop = modelOf({
  nodes: [
    node('orders', { resource_type: 'source', source_name: 'shop', path: 'models/staging/_sources.yml' }),
    node('payments', { resource_type: 'source', source_name: 'shop', path: 'models/staging/_sources.yml' }),
    node('stg_orders', { path: 'models/staging/stg_orders.sql' }),
    node('stg_payments', { path: 'models/staging/stg_payments.sql' }),
    node('fct', { path: 'models/marts/fct.sql' }),
  ],
  edges: [[0, 2], [1, 3], [2, 4], [3, 4]],
});

test('puts the tables of a source, and the nodes of a folder, into a group; one alone is none', () => {
  expect([...groupsOf(shop).values()].map(({ label, members }) => [label, members])).toEqual([
    ['shop', ['orders', 'payments']],
    ['staging', ['stg_orders', 'stg_payments']],
  ]);
});

test('draws a closed group in the place of its members, and each of its edges once', () => {
  const view = viewOf(shop, groupsOf(shop), () => false);
  expect(view.edges).toEqual([['source:shop/shop', 'folder:shop/models/staging'], ['folder:shop/models/staging', 'fct']]);
  expect([...view.nodes.keys()]).toEqual(['fct']);
  expect(view.inside.get('orders')).toBe('source:shop/shop');
});

const xs = (positions: ReturnType<typeof layOutStages>, ...keys: string[]) => keys.map((key) => positions.get(key)?.x);

test('lays stages out from left to right, and a folder in a frame', () => {
  const view = viewOf(shop, groupsOf(shop), ({ kind }) => kind === 'folder');
  const positions = layOutStages(view, new Map());
  const [source, orders, payments, fct] = xs(positions, 'source:shop/shop', 'stg_orders', 'stg_payments', 'fct');
  expect(orders).toBe(payments);
  expect([source, orders, fct]).toEqual([source, orders, fct].toSorted((a, b) => (a ?? 0) - (b ?? 0)));
  expect(positions.get('stg_orders')?.y).not.toBe(positions.get('stg_payments')?.y);
  expect(frameOf([{ x: 114, y: 84 }])).toMatchObject({ x: 100, y: 50 });
});

test('keeps the order of what was there when a node comes', () => {
  const at = (name: string) => node(name, { path: `models/${name}.sql` });
  const grown = (...names: string[]) => viewOf(modelOf({ nodes: names.map(at), edges: [] }), new Map(), () => true);
  const known = new Map([['b', { x: 0, y: 0 }], ['a', { x: 0, y: 64 }], ['c', { x: 0, y: 128 }]]);
  const positions = layOutStages(grown('a', 'b', 'c', 'aa'), known);
  const order = [...positions].sort(([, one], [, other]) => one.y - other.y).map(([key]) => key).filter((key) => key !== 'aa');
  expect(order).toEqual(['b', 'a', 'c']);
});

test('ends on a cycle of stages', () => {
  const cycle = modelOf({ nodes: [node('a', { path: 'models/x/a.sql' }), node('b', { path: 'models/y/b.sql' })], edges: [[0, 1], [1, 0]] });
  expect(layOutStages(viewOf(cycle, new Map(), () => true), new Map()).size).toBe(2);
});

test('places a closed group that stands in a later column of its stage', () => {
  const inStage = (name: string, folder: string) => node(name, { path: `models/marts/${folder}/${name}.sql` });
  const chained = modelOf({ nodes: [inStage('a', 'x'), inStage('b', 'y'), inStage('c', 'y')], edges: [[0, 1], [0, 2]] });
  const positions = layOutStages(viewOf(chained, groupsOf(chained), () => false), new Map());
  expect([...positions.values()].every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
});

test('breaks a high column into several', () => {
  const many = Array.from({ length: 30 }, (_, at) => node(`n${at}`, { path: `models/n${at}.sql` }));
  const positions = layOutStages(viewOf(modelOf({ nodes: many, edges: [] }), new Map(), () => true), new Map());
  expect(positions.size).toBe(30);
});

test('puts the folders of a high stage beside each other, and stays so', () => {
  const many = Array.from({ length: 60 }, (_, at) => Array.from({ length: 2 }, (_, of) => node(`n${at}_${of}`, { path: `models/marts/f${String(at).padStart(2, '0')}/n${at}_${of}.sql` }))).flat();
  const graph = modelOf({ nodes: many, edges: [] });
  const view = viewOf(graph, groupsOf(graph), () => true);
  const positions = layOutStages(view, new Map());
  const [high, wide] = (['y', 'x'] as const).map((axis) => Math.max(...[...positions.values()].map((at) => at[axis])));
  expect(high).toBeLessThan(4000);
  expect(wide).toBeGreaterThan(200);
  expect(layOutStages(view, positions)).toEqual(positions);
});
