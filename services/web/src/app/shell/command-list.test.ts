/// <reference types="node" />
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { type Acts, type Around, BY_ITSELF, commandsOf } from './command-list';
import { PARTS } from './help';

const NODE = { unique_id: 'model.shop.orders', name: 'orders', select: 'orders', isBuilt: true, parents: [{ unique_id: 'model.shop.a', name: 'a' }] };
const AROUND: Around = { environment: 'dev', select: '', version: 3, node: NODE, path: 'models/orders.sql', lastRun: undefined };
/** Nothing is called: only the list is looked at. */
const ACTS = {} as Acts;

function all() {
  const last = { run_id: 'r', number: 1 };
  const runs = [{ ...last, isRunning: true, isGreen: false }, { ...last, isRunning: false, isGreen: false }];
  return runs.flatMap((lastRun) => commandsOf({ ...AROUND, lastRun }, ACTS));
}

/** Reads every command of the API from its description: the kinds of edits, and what is posted to. */
function ofTheApi(): string[] {
  const { paths, components } = JSON.parse(readFileSync('../gateway/openapi.json', 'utf8')) as {
    paths: Record<string, { post?: object }>;
    components: { schemas: { Intent: { oneOf: { allOf: { properties?: { type?: { enum: string[] } } }[] }[] } } };
  };
  const edits = components.schemas.Intent.oneOf.flatMap(({ allOf }) => allOf.flatMap((part) => part.properties?.type?.enum ?? []));
  const posted = Object.entries(paths).flatMap(([path, { post }]) => (post && !path.endsWith('/commands') ? [path] : []));
  return [...edits, 'place_node', ...posted].sort();
}

test('the palette has every command of the API', () => {
  const offered = all().flatMap(({ does = [] }) => does);
  const known = [...new Set<string>([...offered, ...Object.keys(BY_ITSELF)])].sort();
  expect(ofTheApi().length).toBeGreaterThan(20);
  expect(known).toEqual(ofTheApi());
});

test('the help has every shortcut of the palette', () => {
  const helped = PARTS.flatMap(([, shortcuts]) => shortcuts.flatMap(([, ...keys]) => keys));
  for (const { label, keys } of all()) if (keys !== undefined) expect(helped, label).toContain(keys);
});

test('no two commands of one page are called the same', () => {
  const labels = commandsOf(AROUND, ACTS).map(({ label }) => label);
  expect(new Set(labels).size).toBe(labels.length);
});
