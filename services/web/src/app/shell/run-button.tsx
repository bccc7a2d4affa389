import { useGraph, useProject } from '@/api/queries';
import { useStartRun } from '@/api/mutations';
import { asProblem } from '@/api/client';
import { Button } from '@/components/ui/button';
import { ChevronIcon, PlayIcon } from '@/components/ui/icons';
import { Menu, MenuItem, MenuLabel, MenuSeparator } from '@/components/ui/overlay';
import { selectorOf } from '@/lib/selector';
import { sayRefused, sayStarted } from '@/lib/strip';

import { useScope } from './scope';
import styles from './shell.module.css';

/** Answers what starts a run, and whether one is being asked for. */
export function useRunning() {
  const { project, environment } = useScope();
  const start = useStartRun(project);
  const run = (select: string, fullRefresh = false) =>
    start.mutate(
      { command: 'build', environment, select, full_refresh: fullRefresh },
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

/** Runs what the selector finds; its menu runs the selected node and what is around it. */
export function RunButton() {
  const { project, environment, search } = useScope();
  const { data: graph } = useGraph(project, environment);
  const { data: detail } = useProject(project);
  const { run, starting } = useRunning();
  const node = graph?.nodes.find((found) => found.unique_id === search.node);
  const name = node && selectorOf(node);
  const select = search.select ?? '';
  const isRunning = detail?.last_run != null && detail.last_run.state !== 'finished';
  return (
    <span className={styles.split}>
      <Button look="primary" busy={starting} onClick={() => run(select)} title={select === '' ? 'Run everything' : `Run ${select}`}>
        <PlayIcon size={12} /> {isRunning ? 'Run again' : 'Run'}
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
        <MenuItem onSelect={() => run('')}>Everything</MenuItem>
        <MenuItem onSelect={() => run('', true)}>Everything, with a full refresh</MenuItem>
      </Menu>
    </span>
  );
}
