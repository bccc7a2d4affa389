import type { RunStep } from '@/api/schema';

/** Is a stretch of the time axis, in milliseconds from its start. */
export interface Span {
  from: number;
  to: number;
}

/** Says where each bar of a run stands. */
export interface Timeline {
  /** How long the axis is. */
  length: number;
  spans: ReadonlyMap<string, Span>;
  /** Where the axis is marked. */
  ticks: readonly number[];
}

/** The axis is at least this long, so that bars of a moment are not stretched over the page. */
const LENGTH_MIN_MS = 500;
const TICKS_MAX = 6;
const STEPS_MS = [100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000];

function ticksOf(length: number): number[] {
  const step = STEPS_MS.find((candidate) => length / candidate <= TICKS_MAX) ?? length / TICKS_MAX;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, at) => at * step);
}

/** Places the steps of a run on a time axis that begins with the first of them; what runs reaches until now. */
export function timelineOf(steps: readonly RunStep[], now: number): Timeline {
  const started = steps.flatMap((step) => (step.started_at ? [Date.parse(step.started_at)] : []));
  const begin = Math.min(...started);
  const spans = new Map<string, Span>();
  for (const { unique_id, started_at, finished_at, duration_ms } of steps) {
    if (!started_at) continue;
    const from = Date.parse(started_at) - begin;
    const ended = finished_at ? Date.parse(finished_at) - begin : now - begin;
    spans.set(unique_id, { from, to: Math.max(from, duration_ms == null ? ended : from + duration_ms) });
  }
  const length = Math.max(LENGTH_MIN_MS, ...[...spans.values()].map((span) => span.to));
  return { length, spans, ticks: ticksOf(length) };
}

/** Writes a moment of the axis. */
export function tickWords(ms: number): string {
  if (ms === 0) return '0 s';
  return ms >= 60_000 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
