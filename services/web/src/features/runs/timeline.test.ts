import { expect, test } from 'vitest';

import type { RunStep } from '@/api/schema';

import { timelineOf } from './timeline';

function step(unique_id: string, members: Partial<RunStep>): RunStep {
  return { unique_id, node_key: unique_id, name: unique_id, state: 'succeeded', attempt: 1, reason: '', resource_type: 'model', ...members };
}

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:00:02.000Z';

test('begins with the first step and ends with the last', () => {
  const timeline = timelineOf([step('a', { started_at: AT, duration_ms: 1500 }), step('b', { started_at: LATER, duration_ms: 1000 })], 0);
  expect(timeline.length).toBe(3000);
  expect(timeline.spans.get('b')).toEqual({ from: 2000, to: 3000 });
  expect(timeline.ticks).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000]);
});

test('lets what runs reach until now', () => {
  const timeline = timelineOf([step('a', { started_at: AT, state: 'running' })], Date.parse(LATER));
  expect(timeline.spans.get('a')).toEqual({ from: 0, to: 2000 });
});

test('has no bar for what did not start', () => {
  const timeline = timelineOf([step('a', { state: 'skipped' })], 0);
  expect(timeline.spans.size).toBe(0);
  expect(timeline.length).toBe(500);
});
