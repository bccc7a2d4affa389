import { useState } from 'react';

import { asProblem } from '@/api/client';
import { usePlan } from '@/api/queries';
import type { Plan, PlanStep } from '@/api/schema';
import { Glyph, SkeletonLines, TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';
import { duration, plural } from '@/lib/format';
import { useSettled } from '@/lib/use-settled';

import styles from './plan.module.css';

function Step({ step }: { step: PlanStep }) {
  return (
    <li className={styles.step}>
      <span className={styles.stripe} style={{ background: `var(--${step.resource_type}, var(--ok))` }} />
      <span className="mono clip" title={step.unique_id}>
        {step.name}
      </span>
      <span className="muted clip" title={step.reason}>
        {step.broken ? (
          <>
            <Glyph tone="bad" glyph="✗" /> has errors: it will be skipped
          </>
        ) : (
          step.reason
        )}
      </span>
      <span className={styles.time}>{step.usual_ms == null ? 'never ran' : duration(step.usual_ms)}</span>
    </li>
  );
}

function summary({ steps, threads, expected_ms }: Plan): string {
  const tests = steps.filter(({ resource_type }) => /test$/.test(resource_type)).length;
  const time = expected_ms == null ? 'no run to estimate from yet' : `about ${duration(expected_ms)}`;
  return `${plural(steps.length - tests, 'node')} and ${plural(tests, 'test')} · ${threads} at a time · ${time}`;
}

type Props = {
  project: string;
  environment: string;
  select: string;
  busy: boolean;
  onRun: (select: string, fullRefresh: boolean, exclude: string) => void;
  onClose: () => void;
};

/** Shows what a run would do, in which order, why, and how long that usually takes; then runs it. */
export function PlanDialog({ project, environment, select: first, busy, onRun, onClose }: Props) {
  const [select, setSelect] = useState(first);
  const [exclude, setExclude] = useState('');
  const [fullRefresh, setFullRefresh] = useState(false);
  const { data, error, isFetching } = usePlan(project, useSettled({ environment, select: select.trim(), exclude: exclude.trim() }));
  const run = () => {
    onClose();
    onRun(select.trim(), fullRefresh, exclude.trim());
  };
  return (
    <Dialog open onOpenChange={onClose} title={`Plan of a run in ${environment}`} wide>
      <div className={styles.fields}>
        <TextField label="--select" className="mono" placeholder="everything" value={select} onChange={(event) => setSelect(event.target.value)} />
        <TextField label="--exclude" className="mono" placeholder="nothing" value={exclude} onChange={(event) => setExclude(event.target.value)} />
      </div>
      {error ? (
        <ProblemNote problem={asProblem(error)} />
      ) : data ? (
        <>
          <p role="status" aria-busy={isFetching}>
            {summary(data)}
          </p>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
          <ol className={styles.steps} tabIndex={0} aria-label="Steps of the plan">
            {data.steps.map((step) => (
              <Step key={step.unique_id} step={step} />
            ))}
          </ol>
        </>
      ) : (
        <SkeletonLines lines={8} label="Loading the plan" />
      )}
      <DialogFoot>
        <label className={styles.check}>
          <input type="checkbox" checked={fullRefresh} onChange={(event) => setFullRefresh(event.target.checked)} />
          Full refresh
        </label>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" busy={busy} disabled={!data || data.steps.length === 0} onClick={run}>
          Run {data ? plural(data.steps.length, 'step') : ''}
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
