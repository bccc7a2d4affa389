import { expect, test } from 'vitest';

import type { GraphNode } from '@/api/schema';

import { edgeHeat, highlightOf, nodeMark } from './highlight';
import { fromElk, shapeOf, toElk } from './layout';
import { around, keyOf, modelOf, only, reach } from './model';
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

test('asks for the order that nodes have now, and for a place between its neighbours for a new one', () => {
  const known = new Map(['raw', 'stg', 'fct', 'rpt'].map((key, at) => [key, { x: at * 300, y: 10 }]));
  const asked = toElk(model, known);
  expect(asked.layoutOptions?.['elk.layered.crossingMinimization.strategy']).toBe('INTERACTIVE');
  expect(asked.children?.find((child) => child.id === 'other')).toMatchObject({ x: 0, y: 10 });
});

test('shifts a layout so that what was there stays', () => {
  const known = new Map([['raw', { x: 0, y: 0 }], ['stg', { x: 300, y: 0 }]]);
  const children = [{ id: 'raw', x: 12, y: 50 }, { id: 'stg', x: 312, y: 50 }, { id: 'new', x: 612, y: 50 }];
  const positions = fromElk({ id: 'root', children }, known);
  expect(positions.get('raw')).toEqual({ x: 0, y: 0 });
  expect(positions.get('new')).toEqual({ x: 600, y: 0 });
});

test('has one shape whatever the order of nodes and edges', () => {
  const turned = modelOf({ nodes: [node('other'), node('raw'), node('rpt'), node('fct'), node('stg')], edges: [[1, 0], [3, 2], [4, 3], [1, 4]] });
  expect(shapeOf(turned)).toBe(shapeOf(model));
});

test('counts the tests of a node, and keeps what did not change', () => {
  const nodes = [node('fct', { tests: ['t1', 't2'] })];
  const step = (unique_id: string, state: string) => ({ unique_id, node_key: unique_id, name: unique_id, state, attempt: 1, reason: '', resource_type: 'test' });
  const steps = [step('model.shop.fct', 'succeeded'), step('t1', 'succeeded'), step('t2', 'failed')];
  const first = statesOf(nodes, steps, new Map());
  expect(first.get('fct')).toMatchObject({ passed: 1, failed: 1, status: { word: 'succeeded' } });
  expect(statesOf(nodes, steps, first).get('fct')).toBe(first.get('fct'));
});
