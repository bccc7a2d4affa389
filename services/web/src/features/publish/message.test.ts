import { expect, test } from 'vitest';

import type { HistoryEvent } from '@/api/schema';

import { editsAfter, proposed } from './message';

function edit(stream_version: number, summary: string, members: Partial<HistoryEvent> = {}): HistoryEvent {
  const id = String(stream_version);
  return { category: 'branch', stream_version, summary, type: 'Changed', position: stream_version, event_id: id, stream_id: 'b', actor: 'local:ada', occurred_at: '2026-01-01T00:00:00Z', subjects: [], files: [], correlation_id: id, ...members };
}

test('proposes the one edit as a sentence', () => {
  expect(proposed([edit(2, 'renamed stg_orders to stg_sales')])).toBe('Renamed stg_orders to stg_sales');
});

test('proposes a list of several edits and counts what is too many', () => {
  const edits = Array.from({ length: 10 }, (_, at) => edit(at + 2, `edit ${at}`));
  const lines = proposed(edits).split('\n');
  expect(lines[0]).toBe('10 changes');
  expect(lines.at(-1)).toBe('- and 2 more');
});

test('takes only the edits after the published version, oldest first', () => {
  const events = [edit(4, 'c'), edit(9, 'ran', { category: 'run' }), edit(3, 'b'), edit(2, 'a')];
  expect(editsAfter(events, 2).map((event) => event.summary)).toEqual(['b', 'c']);
});
