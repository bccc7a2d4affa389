import { type ReactNode, useEffect, useState } from 'react';

import { asProblem } from '@/api/client';
import { useCancelRun, useStartRun } from '@/api/mutations';
import { useRun } from '@/api/queries';
import type { RunDetail, RunStep } from '@/api/schema';
import { Ago, Blank, Chip, Page, Pill, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank, ProblemNote } from '@/components/ui/problem';
import { actorName } from '@/lib/actor';
import { duration, plural } from '@/lib/format';
import { runStatus } from '@/lib/status';

import { selectionWords } from './run-list';
import styles from './runs.module.css';
import { StepList } from './step-list';
import { StepPanel } from './step-panel';

/** How often the bars of a running run grow. */
const TICK_MS = 250;

function useTick(active: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}

function countWords({ counts }: RunDetail): string {
  const parts: [number, string][] = [
    [counts.succeeded, 'succeeded'],
    [counts.warned, 'of them warned'],
    [counts.failed, 'failed'],
    [counts.skipped, 'skipped'],
    [counts.cancelled, 'cancelled'],
    [counts.running, 'running'],
    [counts.pending, 'waiting'],
  ];
  return parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`).join(', ');
}

/** What one looks for in a run, the first of it first. */
const LOOKED_FOR = ['failed', 'running', 'unknown', 'skipped', 'cancelled'];

/** Answers the step that is shown unless one is chosen: the one that failed, else the one that runs, else what did not run. */
function usualStep(steps: readonly RunStep[]): RunStep | undefined {
  const found = LOOKED_FOR.flatMap((state) => steps.find((step) => step.state === state) ?? []);
  return found[0] ?? steps[0];
}

function Verbs({ project, run, onStarted }: { project: string; run: RunDetail; onStarted: (run: string) => void }) {
  const cancel = useCancelRun(project);
  const start = useStartRun(project);
  const { command, environment, select, exclude, full_refresh, threads } = run;
  const onSuccess = ({ run_id }: { run_id: string }) => onStarted(run_id);
  const again = () => start.mutate({ command: command as 'build', environment, select, exclude, full_refresh, threads }, { onSuccess });
  const retry = () => start.mutate({ retry: run.run_id }, { onSuccess });
  const left = run.steps.filter((step) => step.state !== 'succeeded' && step.resource_type !== 'operation');
  if (run.state === 'finished') {
    return (
      <>
        {left.length > 0 && (
          <Button busy={start.isPending} onClick={retry} title={`${left.length} steps did not succeed`}>
            Rerun from failure
          </Button>
        )}
        <Button busy={start.isPending} onClick={again}>
          Rerun
        </Button>
      </>
    );
  }
  return (
    <Button look="danger" busy={cancel.isPending || run.cancel_requested_at != null} onClick={() => cancel.mutate(run.run_id)}>
      {run.cancel_requested_at != null ? 'Cancelling…' : 'Cancel'}
    </Button>
  );
}

function Title({ run }: { run: RunDetail }) {
  const status = runStatus(run);
  return (
    <>
      <span>Run {run.number}</span>{' '}
      <Pill tone={status.tone} glyph={status.glyph}>
        {status.word}
      </Pill>{' '}
      <Chip>
        {run.command} <b className="mono">{selectionWords(run)}</b>
      </Chip>{' '}
      <Chip>
        version <b>{run.version}</b>
      </Chip>{' '}
      <Chip>
        <b>{run.environment}</b>
      </Chip>
    </>
  );
}

type BodyProps = { project: string; run: RunDetail; selected: string | undefined; onSelect: (step: string) => void; failingRows: (test: string) => ReactNode };

function Body({ project, run, selected, onSelect, failingRows }: BodyProps) {
  const now = useTick(run.state !== 'finished');
  const step = run.steps.find((known) => known.unique_id === selected) ?? usualStep(run.steps);
  if (!step) {
    return run.state === 'finished' ? (
      <Blank title="Nothing ran">{run.message ?? 'The plan had no step.'}</Blank>
    ) : (
      <Blank title="Waiting for the plan">The project is compiled first; the steps appear here.</Blank>
    );
  }
  return (
    <div className={styles.grid}>
      <StepList steps={run.steps} now={now} selected={step.unique_id} onSelect={onSelect} />
      <StepPanel key={step.unique_id} project={project} run={run} step={step} failingRows={failingRows} />
    </div>
  );
}

/** Says how long the run will still take, by how long its steps took before. */
function Expected({ run }: { run: RunDetail }) {
  const now = useTick(run.state !== 'finished');
  if (run.expected_ms == null || !run.started_at) return null;
  const left = run.expected_ms - (now - Date.parse(run.started_at));
  return ` · about ${duration(run.expected_ms)} in all${left > 0 ? `, ${duration(left)} left` : ', any moment now'}`;
}

type Props = { project: string; id: string; step: string | undefined; onSelect: (step: string) => void; onStarted: (run: string) => void; failingRows: (test: string) => ReactNode };

/** Shows a run at a glance, live: what failed, where in the source, what it took down with it. */
export function RunView({ project, id, step, onSelect, onStarted, failingRows }: Props) {
  const { data: run, error, refetch } = useRun(project, id);
  if (error && !run) return <ProblemBlank heading="h1" problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!run) {
    return (
      <Page wide title="Run">
        <SkeletonLines lines={10} label="Loading the run" />
      </Page>
    );
  }
  const took = run.duration_ms == null ? '' : ` · ${duration(run.duration_ms)}`;
  return (
    <Page wide title={<Title run={run} />} actions={<Verbs project={project} run={run} onStarted={onStarted} />}>
      <p className="muted" role="status">
        Started by {actorName(run.requested_by)} <Ago at={run.requested_at} />
        {took}
        <Expected run={run} /> · {plural(run.threads, 'step')} at a time
        {run.steps.length > 0 && ` · ${countWords(run)}`}
      </p>
      {run.message && run.steps.length > 0 && (
        <div style={{ marginTop: 12 }}>
          <ProblemNote problem={{ code: run.outcome ?? '', detail: run.message, trace_id: '' }} />
        </div>
      )}
      <Body project={project} run={run} selected={step} onSelect={onSelect} failingRows={failingRows} />
    </Page>
  );
}
