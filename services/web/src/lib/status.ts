/** How things stand, as glyph, word and tone: the one place that decides it. */
export type Tone = 'ok' | 'bad' | 'warn' | 'run' | 'idle';

export interface Status {
  tone: Tone;
  glyph: string;
  word: string;
}

interface Counts {
  succeeded: number;
  failed: number;
  skipped: number;
  cancelled: number;
  running: number;
  pending: number;
}

interface RunLike {
  state: string;
  outcome?: string | null;
  cancel_requested_at?: string | null;
  counts: Counts;
}

const total = ({ succeeded, failed, skipped, cancelled, running, pending }: Counts) =>
  succeeded + failed + skipped + cancelled + running + pending;

/** Says how a run stands. */
export function runStatus({ state, outcome, counts, cancel_requested_at }: RunLike): Status {
  const all = total(counts);
  if (state === 'finished') {
    if (outcome === 'succeeded') return { tone: 'ok', glyph: '✓', word: `succeeded · ${all}` };
    if (outcome === 'cancelled') return { tone: 'warn', glyph: '⊘', word: 'cancelled' };
    const failed = counts.failed > 0 ? ` · ${counts.failed} of ${all}` : '';
    return { tone: 'bad', glyph: '✗', word: `failed${failed}` };
  }
  if (cancel_requested_at) return { tone: 'warn', glyph: '⊘', word: 'cancelling' };
  if (state === 'running') return { tone: 'run', glyph: '◐', word: `running · ${all - counts.running - counts.pending} of ${all}` };
  return { tone: 'run', glyph: '◌', word: 'waiting' };
}

/** Says how a step of a run stands. */
export function stepStatus({ state, severity }: { state: string; severity?: string | null }): Status {
  switch (state) {
    case 'succeeded':
      return severity === 'warn' ? { tone: 'warn', glyph: '!', word: 'warned' } : { tone: 'ok', glyph: '✓', word: 'succeeded' };
    case 'failed':
      return { tone: 'bad', glyph: '✗', word: 'failed' };
    case 'unknown':
      return { tone: 'warn', glyph: '?', word: 'unknown' };
    case 'running':
      return { tone: 'run', glyph: '◐', word: 'running' };
    case 'skipped':
      return { tone: 'idle', glyph: '⊘', word: 'skipped' };
    case 'cancelled':
      return { tone: 'idle', glyph: '⊘', word: 'cancelled' };
    default:
      return { tone: 'idle', glyph: '○', word: 'waiting' };
  }
}

/** Says how a publication stands. */
export function publishStatus(state: string): Status {
  switch (state) {
    case 'published':
      return { tone: 'ok', glyph: '✓', word: 'published' };
    case 'failed':
      return { tone: 'bad', glyph: '✗', word: 'failed' };
    case 'superseded':
      return { tone: 'idle', glyph: '⊘', word: 'superseded' };
    default:
      return { tone: 'run', glyph: '◐', word: 'publishing' };
  }
}
