import { Link } from '@tanstack/react-router';

import type { RunSummary } from '@/api/schema';
import { duration } from '@/lib/format';
import { runStatus } from '@/lib/status';

import styles from './runs.module.css';

/** How high the longest bar is, in pixels. */
const HEIGHT = 72;
/** How many of the last runs are drawn. */
const SHOWN = 60;

/** Draws how long the last runs took, the oldest at the left; each leads to its run. */
export function RunChart({ project, runs }: { project: string; runs: readonly RunSummary[] }) {
  const ended = runs.filter((run) => run.duration_ms != null).slice(0, SHOWN).toReversed();
  if (ended.length < 2) return null;
  const longest = Math.max(1, ...ended.map((run) => run.duration_ms ?? 0));
  return (
    <figure className={styles.chart}>
      <figcaption>
        <span>Duration of the last {ended.length} runs</span>
        <span>longest {duration(longest)}</span>
      </figcaption>
      <div className={styles.bars}>
        {ended.map((run) => {
          const status = runStatus(run);
          const took = run.duration_ms ?? 0;
          return (
            <Link
              key={run.run_id}
              to="/projects/$project/runs/$run"
              params={{ project, run: run.run_id }}
              aria-label={`Run ${run.number}, ${status.word}, ${duration(took)}`}
              title={`Run ${run.number} · ${status.word} · ${duration(took)}`}
              data-tone={status.tone}
            >
              <span aria-hidden="true">{status.tone === 'ok' ? '' : status.glyph}</span>
              <i style={{ height: Math.max(3, (took / longest) * HEIGHT) }} />
            </Link>
          );
        })}
      </div>
    </figure>
  );
}
