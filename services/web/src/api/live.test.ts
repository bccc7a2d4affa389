import { expect, test } from 'vitest';

import { withEvent, withStep } from './live';
import type { HistoryEvent, RunDetail } from './schema';

function event(members: Partial<HistoryEvent>): HistoryEvent {
  return { position: 9, event_id: 'e', category: 'run', stream_id: 'r', stream_version: 5, type: 'StepStarted', actor: 'executor', occurred_at: '2026-01-01T00:00:00Z', summary: '', subjects: [{ node: 'model.shop.a', property: 'run' }], files: [], correlation_id: 'c', ...members };
}

const run = {
  stream_version: 4,
  steps: [{ unique_id: 'model.shop.a', state: 'pending' }, { unique_id: 'model.shop.b', state: 'pending' }],
} as RunDetail;

test('a step that starts runs at once', () => {
  const next = withStep(run, event({}));
  expect(next.steps.map((step) => step.state)).toEqual(['running', 'pending']);
  expect(next.steps[0]?.started_at).toBe('2026-01-01T00:00:00Z');
});

test('an event that the run already shows changes nothing', () => {
  expect(withStep(run, event({ stream_version: 4 }))).toBe(run);
});

test('an event stands before the ones that are known, once', () => {
  const pages = { pages: [{ events: [event({ position: 8 })] }], pageParams: [undefined] };
  const next = withEvent(pages, event({ position: 9 }));
  expect(next.pages[0]?.events.map((found) => found.position)).toEqual([9, 8]);
  expect(withEvent(next, event({ position: 9 }))).toBe(next);
});
