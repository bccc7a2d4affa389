import { expect, test } from 'vitest';

import type { RunStep } from '@/api/schema';

import { reasonWords, takenDown } from './reasons';

function step(unique_id: string, state: string, reason = ''): RunStep {
  return { unique_id, node_key: unique_id, name: unique_id, state, attempt: 1, reason, resource_type: 'model' };
}

test('writes names instead of unique_ids', () => {
  expect(reasonWords('needs model.shop.fct_orders, which failed')).toBe('needs fct_orders, which failed');
  expect(reasonWords('needs test.shop.unique_a_id.7f9e22245a, which failed')).toBe('needs unique_a_id, which failed');
});

test('takes down what is skipped because of what is skipped', () => {
  const failed = step('model.shop.a', 'failed');
  const steps = [failed, step('model.shop.c', 'skipped', 'needs model.shop.b, which was skipped'), step('model.shop.b', 'skipped', 'needs model.shop.a, which failed'), step('model.shop.d', 'skipped', 'needs model.shop.x, which failed')];
  expect(takenDown(steps, failed).map((found) => found.unique_id)).toEqual(['model.shop.c', 'model.shop.b']);
});
