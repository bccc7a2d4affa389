import { Suspense, lazy, useEffect, useMemo, useRef } from 'react';

import { asProblem } from '@/api/client';
import { useConnect, usePlaceNode } from '@/api/commands';
import { useGraph, useProject, useRun, useSelection } from '@/api/queries';
import type { RunStep } from '@/api/schema';
import { Blank, Pill, SkeletonLines } from '@/components/ui/bits';
import { ProblemBlank } from '@/components/ui/problem';
import { Split } from '@/components/ui/split';
import { Canvas, CanvasSkeleton } from '@/features/graph/canvas';
import { selectorOf } from '@/lib/selector';
import { stepStatus } from '@/lib/status';

import { useRunning } from '../shell/run-button';
import { useScope } from '../shell/scope';

const Panel = lazy(() => import('./node-panel').then(({ GraphNodePanel }) => ({ default: GraphNodePanel })));

const NO_STEPS: never[] = [];
const PANEL = { initial: 460, min: 360, rest: 320 };

function useSteps(): readonly RunStep[] {
  const { project } = useScope();
  const { data: detail } = useProject(project);
  const { data: run } = useRun(project, detail?.last_run?.run_id);
  return run?.steps ?? NO_STEPS;
}

function useChosen(): ReadonlySet<string> | null {
  const { project, environment, search } = useScope();
  const select = search.select ?? '';
  const { data } = useSelection(project, environment, select);
  return useMemo(() => (select === '' || !data ? null : new Set(data.unique_ids)), [select, data]);
}

/** Stays with the selected node when somebody renames it. */
function useFollow(): void {
  const { project, environment, search, change } = useScope();
  const { data: graph } = useGraph(project, environment);
  const last = useRef<{ id: string; key: string }>(undefined);
  useEffect(() => {
    if (!graph || search.node === undefined) return;
    const here = graph.nodes.find((node) => node.unique_id === search.node);
    if (here) {
      last.current = { id: here.unique_id, key: here.node_key };
      return;
    }
    const moved = graph.nodes.find((node) => last.current?.id === search.node && node.node_key === last.current?.key);
    if (moved) void change({ node: moved.unique_id }, true);
  });
}

function GraphView() {
  const { project, environment, search, change } = useScope();
  const { data: graph, error, refetch } = useGraph(project, environment);
  const steps = useSteps();
  const chosen = useChosen();
  const place = usePlaceNode(project);
  const connect = useConnect(project);
  if (error && !graph) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!graph) return <CanvasSkeleton />;
  if (graph.nodes.length === 0) {
    return <Blank title="No nodes yet">Add a model under models/ in Files, or import a dbt project.</Blank>;
  }
  return (
    <Canvas
      project={project}
      graph={graph}
      steps={steps}
      selected={search.node}
      chosen={chosen}
      onSelect={(node) => void change({ node, line: undefined, ...(node === undefined && { tab: undefined }) }, true)}
      onPlace={(node_key, x, y) => place.mutate({ node_key, x, y })}
      onConnect={(from, to) => connect.mutate({ from, to, baseVersion: graph.version })}
    />
  );
}

function NodeState({ id }: { id: string }) {
  const step = useSteps().find((found) => found.unique_id === id);
  if (!step) return null;
  const status = stepStatus(step);
  return (
    <Pill tone={status.tone} glyph={status.glyph}>
      {status.word}
    </Pill>
  );
}

/** Shows the graph, and beside it the panel of the selected node. */
export function GraphPage() {
  const { search } = useScope();
  const { run } = useRunning();
  useFollow();
  const node = search.node;
  const side = node !== undefined && (
    <Suspense fallback={<SkeletonLines lines={12} label="Loading the panel" />}>
      <Panel id={node} state={<NodeState id={node} />} onRun={(found) => run(selectorOf(found))} />
    </Suspense>
  );
  return (
    <>
      <h1 className="only-heard">Graph</h1>
      <Split name="node" label="Width of the panel" {...PANEL} main={<GraphView />} side={side || null} />
    </>
  );
}
