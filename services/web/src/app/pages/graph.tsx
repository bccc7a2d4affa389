import { useMemo } from 'react';

import { asProblem } from '@/api/client';
import { useConnect, usePlaceNode } from '@/api/commands';
import { useGraph, useProject, useRun, useSelection } from '@/api/queries';
import { Blank } from '@/components/ui/bits';
import { ProblemBlank } from '@/components/ui/problem';
import { Canvas, CanvasSkeleton } from '@/features/graph/canvas';

import { useScope } from '../shell/scope';

const NO_STEPS: never[] = [];

function useChosen(): ReadonlySet<string> | null {
  const { project, environment, search } = useScope();
  const select = search.select ?? '';
  const { data } = useSelection(project, environment, select);
  return useMemo(() => (select === '' || !data ? null : new Set(data.unique_ids)), [select, data]);
}

function GraphView() {
  const { project, environment, search, change } = useScope();
  const { data: graph, error, refetch } = useGraph(project, environment);
  const { data: detail } = useProject(project);
  const { data: run } = useRun(project, detail?.last_run?.run_id);
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
      steps={run?.steps ?? NO_STEPS}
      selected={search.node}
      chosen={chosen}
      onSelect={(node) => void change({ node, line: undefined, ...(node === undefined && { tab: undefined }) }, true)}
      onPlace={(node_key, x, y) => place.mutate({ node_key, x, y })}
      onConnect={(from, to) => connect.mutate({ from, to, baseVersion: graph.version })}
    />
  );
}

/** Shows the graph, and beside it the panel of the selected node. */
export function GraphPage() {
  return <GraphView />;
}
