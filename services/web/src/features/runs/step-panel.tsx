import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';

import { asProblem } from '@/api/client';
import { useFileAt, useGraph, useStepLog, useStepSql } from '@/api/queries';
import type { Place, RunDetail, RunStep } from '@/api/schema';
import { Card, Glyph, SkeletonLines } from '@/components/ui/bits';
import { ProblemBlank } from '@/components/ui/problem';
import { Snippet } from '@/components/ui/snippet';
import { type Tab, Tabs } from '@/components/ui/tabs';
import { count, duration, plural } from '@/lib/format';
import { stepStatus } from '@/lib/status';

import { reasonWords, takenDown } from './reasons';
import styles from './runs.module.css';

type Of = { project: string; run: RunDetail; step: RunStep };

function Source({ project, run, step }: Of) {
  const place = step.error?.place;
  const { data } = useFileAt(project, place?.path ?? '', run.version, { enabled: !!place });
  if (!place || data?.text == null) return null;
  return <Snippet text={data.text} line={place.line} column={place.column} label={`${place.path}, line ${place.line}`} />;
}

function Skipped({ run, step }: Of) {
  const because = takenDown(run.steps, step);
  if (because.length === 0) return null;
  return (
    <>
      <div className={styles.sub}>
        <span>Skipped because of this</span>
        <span>{because.length}</span>
      </div>
      <ul>
        {because.map((other) => (
          <li key={other.unique_id} className={styles.skipped}>
            <span className="mono clip">{other.name}</span>
            <span className="muted">{reasonWords(other.reason)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function isTest({ resource_type }: RunStep): boolean {
  return resource_type === 'test' || resource_type === 'unit_test';
}

/** Leads to where the error is mended: the node's editor where its own file has it, else the file. */
function ToSource({ project, step, place: { path, line, column } }: Pick<Of, 'project' | 'step'> & { place: Place }) {
  const words = `${path}:${line}:${column}`;
  const isOwn = path.endsWith('.sql') && /^(model|snapshot)\./.test(step.unique_id);
  return isOwn ? (
    <Link to="/projects/$project" params={{ project }} search={{ node: step.unique_id, line }}>
      {words}
    </Link>
  ) : (
    <Link to="/projects/$project/files" params={{ project }} search={{ path, line }}>
      {words}
    </Link>
  );
}

function ErrorFacet(of: Of) {
  const { error } = of.step;
  if (!error) return null;
  return (
    <>
      <div className={styles.error} role="alert">
        {error.message}
        <br />
        <small className="mono">
          {[error.sqlstate && `SQLSTATE ${error.sqlstate}`, error.code].filter(Boolean).join(' · ')}
          {error.place && (
            <>
              {' · '}
              <ToSource project={of.project} step={of.step} place={error.place} />
            </>
          )}
        </small>
      </div>
      <Source {...of} />
      <Skipped {...of} />
    </>
  );
}

/** How near its end a log is followed, in pixels. */
const NEAR = 8;

/** Shows the log of a step, and follows it while its end is in sight. */
function LogFacet({ project, run, step }: Of) {
  const { data, error, refetch } = useStepLog(project, run.run_id, step.unique_id);
  const shown = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const lines = data?.lines.length ?? 0;
  useEffect(() => {
    if (follows.current) shown.current?.scrollTo({ top: shown.current.scrollHeight });
  }, [lines]);
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={4} label="Loading the log" />;
  if (lines === 0) return <p className={styles.log}>{data.done ? 'It wrote nothing.' : 'Nothing yet.'}</p>;
  return (
    <div
      ref={shown}
      className={styles.log}
      role="log"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
      tabIndex={0}
      aria-label={`Log of ${step.name}`}
      // Whoever scrolls up to read is left there.
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < NEAR;
      }}
    >
      {data.lines.map((line) => (
        <div key={line.seq} data-level={line.level}>
          <time dateTime={line.at}>{line.at.slice(11, 23)}</time>
          {line.text}
        </div>
      ))}
    </div>
  );
}

function SqlFacet({ project, run, step }: Of) {
  const { data, error } = useStepSql(project, run.run_id, step.unique_id);
  if (error && asProblem(error).status === 404) return <p className={styles.log}>It sent no SQL.</p>;
  if (error) return <ProblemBlank problem={asProblem(error)} />;
  if (!data) return <SkeletonLines lines={6} label="Loading the SQL" />;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <pre className={styles.sql} tabIndex={0} aria-label={`SQL of ${step.name}`}>
      {data.sql}
    </pre>
  );
}

function WhyFacet({ project, step }: Of) {
  const facts: [string, string | null | undefined][] = [
    ['Why', reasonWords(step.reason)],
    ['Relation', step.relation],
    ['Made as', step.materialized],
    ['Rows', step.rows == null ? null : count(step.rows)],
    ['Failing rows', step.failures == null ? null : count(step.failures)],
    ['Says', step.message === step.reason ? null : step.message],
    ['Attempt', step.attempt > 0 ? String(step.attempt) : null],
  ];
  return (
    <dl className={styles.facts}>
      {facts.flatMap(([name, value]) =>
        value ? [<dt key={name}>{name}</dt>, <dd key={`${name}=`}>{value}</dd>] : [],
      )}
      <dt>Node</dt>
      <dd className="mono">
        {isTest(step) ? (
          step.unique_id
        ) : (
          <Link to="/projects/$project" params={{ project }} search={{ node: step.unique_id }}>
            {step.unique_id}
          </Link>
        )}
      </dd>
    </dl>
  );
}

/** Leads from a test to what it tests: there its arguments are, and it can be removed. */
function Tested({ project, run, step }: Of) {
  const { data } = useGraph(project, run.environment);
  const tested = data?.nodes.find((node) => node.tests.includes(step.unique_id));
  if (!tested) return null;
  return (
    <p className="muted">
      Test of{' '}
      <Link className="mono" to="/projects/$project" params={{ project }} search={{ node: tested.unique_id, tab: 'columns' }}>
        {tested.name}
      </Link>
    </p>
  );
}

type Facet = 'error' | 'rows' | 'log' | 'sql' | 'why';
const FACETS = { error: ErrorFacet, log: LogFacet, sql: SqlFacet, why: WhyFacet };

/** Says whether a step is a test that found rows. */
function foundRows({ resource_type, failures }: RunStep): boolean {
  return resource_type === 'test' && (failures ?? 0) > 0;
}

/** Shows one step of a run: why it failed and where in the source, its log, the SQL it sent, why it ran. */
export function StepPanel({ project, run, step, failingRows }: Of & { failingRows: (test: string) => ReactNode }) {
  const [chosen, setChosen] = useState<Facet | null>(null);
  const status = stepStatus(step);
  const tabs: Tab<Facet>[] = [
    ...(step.error ? [{ id: 'error' as const, label: 'Error' }] : []),
    ...(foundRows(step) ? [{ id: 'rows' as const, label: `Failing rows ${count(step.failures ?? 0)}` }] : []),
    { id: 'log', label: 'Log' },
    { id: 'sql', label: 'SQL sent' },
    { id: 'why', label: step.state === 'skipped' ? 'Why it was skipped' : 'Why it ran' },
  ];
  const usual = step.error ? 'error' : step.state === 'skipped' ? 'why' : 'log';
  const facet = chosen && tabs.some((tab) => tab.id === chosen) ? chosen : usual;
  const content = () => {
    if (facet === 'rows') return failingRows(step.unique_id);
    const Content = FACETS[facet];
    return <Content key={step.unique_id} project={project} run={run} step={step} />;
  };
  const took = step.duration_ms == null ? [] : [duration(step.duration_ms)];
  const rows = step.rows == null ? [] : [plural(step.rows, 'row')];
  return (
    <Card className={styles.panel} role="region" aria-label={`Step ${step.name}`}>
      <div className={styles.panelHead}>
        <h2>
          <Glyph tone={status.tone} glyph={status.glyph} /> {step.name}
        </h2>
        {isTest(step) && <Tested project={project} run={run} step={step} />}
        <p className="muted">{[status.word, ...took, ...rows, ...(step.state === 'skipped' ? [reasonWords(step.reason)] : [])].join(' · ')}</p>
      </div>
      <Tabs tabs={tabs} value={facet} onChange={setChosen} label="What to show of the step">
        {content()}
      </Tabs>
    </Card>
  );
}
