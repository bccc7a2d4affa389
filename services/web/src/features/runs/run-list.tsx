import { Link } from '@tanstack/react-router';

import { asProblem } from '@/api/client';
import { useRuns } from '@/api/queries';
import type { RunSummary } from '@/api/schema';
import { Ago, Blank, Card, Page, Pill, SkeletonLines } from '@/components/ui/bits';
import { ProblemBlank } from '@/components/ui/problem';
import { actorName } from '@/lib/actor';
import { classes } from '@/lib/class-names';
import { duration } from '@/lib/format';
import { runStatus } from '@/lib/status';

import { RunChart } from './run-chart';
import styles from './runs.module.css';

/** How wide the bar of the longest run is, in pixels. */
const BAR_MAX = 44;

/** Says what a run takes, as a person says it. */
export function selectionWords({ select, exclude, full_refresh }: RunSummary): string {
  const without = exclude === '' ? '' : ` without ${exclude}`;
  return `${select === '' ? 'everything' : select}${without}${full_refresh ? ' · full refresh' : ''}`;
}

function Row({ project, run, longest }: { project: string; run: RunSummary; longest: number }) {
  const status = runStatus(run);
  const took = run.duration_ms ?? null;
  return (
    <Link className={styles.run} to="/projects/$project/runs/$run" params={{ project, run: run.run_id }}>
      <b>{run.number}</b>
      <span>
        <Pill tone={status.tone} glyph={status.glyph}>
          {status.word}
        </Pill>
      </span>
      <span className="mono clip">
        {run.command} {selectionWords(run)}
      </span>
      <span className="muted clip">{run.environment}</span>
      <span className="muted clip">{actorName(run.requested_by)}</span>
      <span className="muted">
        <Ago at={run.requested_at} />
      </span>
      <span className="muted">
        {took !== null && (
          <>
            <i className={styles.bar} style={{ width: Math.max(2, (took / longest) * BAR_MAX) }} />
            {duration(took)}
          </>
        )}
      </span>
    </Link>
  );
}

function List({ project, runs: { data, error, refetch } }: { project: string; runs: ReturnType<typeof useRuns> }) {
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={6} label="Loading the runs" />;
  if (data.runs.length === 0) {
    return <Blank title="Nothing has run yet">Run builds everything: seeds, models, snapshots and their tests, in their order.</Blank>;
  }
  const longest = Math.max(1, ...data.runs.map((run) => run.duration_ms ?? 0));
  return (
    <>
      <div className={classes(styles.run, styles.head)} aria-hidden="true">
        <span>Run</span>
        <span>State</span>
        <span>What</span>
        <span>Environment</span>
        <span>By</span>
        <span>When</span>
        <span>Duration</span>
      </div>
      {data.runs.map((run) => (
        <Row key={run.run_id} project={project} run={run} longest={longest} />
      ))}
    </>
  );
}

/** Lists the runs of a project, newest first. */
export function RunList({ project }: { project: string }) {
  const runs = useRuns(project);
  return (
    <Page title="Runs">
      {runs.data && <RunChart project={project} runs={runs.data.runs} />}
      <Card className={styles.table}>
        <List project={project} runs={runs} />
      </Card>
    </Page>
  );
}
