import { Link } from '@tanstack/react-router';
import { Suspense, lazy } from 'react';

import { asProblem } from '@/api/client';
import { useStartRun } from '@/api/mutations';
import { useGraph, useProject, useSelection } from '@/api/queries';
import type { RunSummary } from '@/api/schema';
import { Glyph } from '@/components/ui/bits';
import chips from '@/components/ui/bits.module.css';
import { Button } from '@/components/ui/button';
import { ChevronIcon, PlayIcon } from '@/components/ui/icons';
import { Menu, MenuItem, MenuLabel, MenuSeparator } from '@/components/ui/overlay';
import { plural } from '@/lib/format';
import { selectorOf } from '@/lib/selector';
import { runStatus } from '@/lib/status';
import { useStore } from '@/lib/store';
import { sayRefused, sayStarted } from '@/lib/strip';

import { gesture } from './gesture';
import { useScope } from './scope';
import styles from './shell.module.css';

const PlanDialog = lazy(() => import('@/features/plan/plan-dialog').then(({ PlanDialog: of }) => ({ default: of })));

/** Answers what starts a run, and whether one is being asked for. */
export function useRunning() {
  const { project, environment } = useScope();
  const start = useStartRun(project);
  const run = (select: string, fullRefresh = false, exclude = '') =>
    start.mutate(
      { command: 'build', environment, select, exclude, full_refresh: fullRefresh },
      {
        onSuccess: ({ run_id, number }) => sayStarted(run_id, number ?? null),
        onError: (error) => sayRefused(asProblem(error).code, asProblem(error).detail),
      },
    );
  return { run, starting: start.isPending };
}

function Item({ label, select, onRun }: { label: string; select: string; onRun: (select: string) => void }) {
  return (
    <MenuItem onSelect={() => onRun(select)}>
      <span>{label}</span>
      <span className="mono muted">{select}</span>
    </MenuItem>
  );
}

/** What changed since the last run of the environment, and what reads it, as a selector. */
const CHANGED = 'state:modified+';

/** Runs what changed since the last run, and what reads it. */
function ChangedItem({ last, onRun }: { last: number; onRun: (select: string) => void }) {
  const { project, environment } = useScope();
  const { data: graph } = useGraph(project, environment);
  const { data, error } = useSelection(project, environment, CHANGED);
  const found = new Set(data?.unique_ids);
  const count = graph?.nodes.filter((node) => found.has(node.unique_id)).length ?? 0;
  const words = error ? 'nothing to compare with' : !data ? 'looking…' : found.size === 0 ? 'nothing' : plural(count, 'node');
  return (
    <MenuItem disabled={found.size === 0} onSelect={() => onRun(CHANGED)}>
      <span>Changed since run {last}, and downstream</span>
      <span className="muted">{words}</span>
    </MenuItem>
  );
}

/** Leads to the last run, and says how it stands. */
function LastRun({ project, run }: { project: string; run: RunSummary }) {
  const { tone, glyph, word } = runStatus(run);
  return (
    <Link to="/projects/$project/runs/$run" params={{ project, run: run.run_id }} className={chips.chip} aria-label={`Run ${run.number}: ${word}`} title={word}>
      <Glyph tone={tone} glyph={glyph} />
      <span>
        run <b>{run.number}</b>
        {run.state !== 'finished' && word.replace(/^\w+/, '')}
      </span>
    </Link>
  );
}

/** Runs what the selector finds; its menu runs the selected node and what is around it, what changed, or all. */
export function RunButton() {
  const { project, environment, search } = useScope();
  const { data: graph } = useGraph(project, environment);
  const { data: detail } = useProject(project);
  const { run, starting } = useRunning();
  const planning = useStore(gesture)?.kind === 'plan';
  const node = graph?.nodes.find((found) => found.unique_id === search.node);
  const name = node && selectorOf(node);
  const select = search.select ?? '';
  const split = (
    <span className={styles.split}>
      <Button look="primary" busy={starting} onClick={() => run(select)} title={select === '' ? 'Run everything (Ctrl Enter)' : `Run ${select} (Ctrl Enter)`}>
        <PlayIcon size={12} /> Run
      </Button>
      <Menu
        align="end"
        trigger={
          <Button look="primary" aria-label="What to run">
            <ChevronIcon size={14} />
          </Button>
        }
      >
        <MenuLabel>Build: run and test, in {environment}</MenuLabel>
        {name !== undefined && (
          <>
            <Item label="This node" select={name} onRun={run} />
            <Item label="With all upstream" select={`+${name}`} onRun={run} />
            <Item label="With all downstream" select={`${name}+`} onRun={run} />
            <MenuSeparator />
          </>
        )}
        {select !== '' && <Item label="The selection" select={select} onRun={run} />}
        {detail?.last_run && <ChangedItem last={detail.last_run.number} onRun={run} />}
        <MenuItem onSelect={() => run('')}>Everything</MenuItem>
        <MenuItem onSelect={() => run('', true)}>Everything, with a full refresh</MenuItem>
        <MenuSeparator />
        <MenuItem onSelect={() => gesture.set({ kind: 'plan' })}>Show the plan first…</MenuItem>
      </Menu>
      {planning && (
        <Suspense fallback={null}>
          <PlanDialog project={project} environment={environment} select={select} busy={starting} onRun={run} onClose={() => gesture.set(null)} />
        </Suspense>
      )}
    </span>
  );
  return (
    <>
      {detail?.last_run && <LastRun project={project} run={detail.last_run} />}
      {split}
    </>
  );
}
