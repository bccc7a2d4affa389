import { expect, test } from 'vitest';

import type { HistoryEvent } from '@/api/schema';

import { lineActor, lineWords, linesOf } from './lines';

function event(position: number, type: string, members: Partial<HistoryEvent> = {}): HistoryEvent {
  return { position, type, category: 'branch', stream_id: 'b', stream_version: 1, summary: type, event_id: String(position), actor: 'local:ada', occurred_at: '', subjects: [], files: [], correlation_id: '', ...members };
}

test('makes one line of a run, also with an edit in between', () => {
  const run = (position: number, type: string, actor: string) => event(position, type, { category: 'run', stream_id: 'r', actor });
  const lines = linesOf([run(9, 'RunFinished', 'service:executor'), event(8, 'Changed'), run(7, 'RunRequested', 'local:bob')]);
  expect(lines.map((line) => lineWords(line))).toEqual(['run finished', 'Changed']);
  expect(lines.map(lineActor)).toEqual(['local:bob', 'local:ada']);
});

test('counts nodes that were placed one after the other', () => {
  const placed = (position: number) => event(position, 'NodePlaced', { category: 'layout', stream_id: 'l' });
  expect(linesOf([placed(3), placed(2), event(1, 'Changed'), placed(0)]).map((line) => lineWords(line))).toEqual(['placed 2 nodes', 'Changed', 'NodePlaced']);
});

test('leaves out what was only compiled for a run', () => {
  const compiled = (position: number, stream_id: string, type: string) => event(position, type, { category: 'compilation', stream_id });
  const lines = linesOf([compiled(4, 'a', 'Compiled'), compiled(3, 'b', 'Published'), compiled(2, 'b', 'Compiled')]);
  expect(lines.map((line) => lineWords(line))).toEqual(['published']);
});
