import { Suspense, lazy, useEffect, useMemo, useRef, useState } from 'react';

import { asProblem } from '@/api/client';
import { useConnect, usePlaceNode } from '@/api/commands';
import { useGraph, usePresence, useProject, useRun, useSelection } from '@/api/queries';
import type { Graph, RunStep } from '@/api/schema';
import { Blank, Pill, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank } from '@/components/ui/problem';
import { Split } from '@/components/ui/split';
import { Canvas, CanvasSkeleton } from '@/features/graph/canvas';
import { actorName } from '@/lib/actor';
import { selectorOf } from '@/lib/selector';
import { stepStatus } from '@/lib/status';
import { useStore } from '@/lib/store';

import { type Gesture, gesture } from '../shell/gesture';
import { PickedBar } from '../shell/picked-bar';
import { useRunning } from '../shell/run-button';
import { useScope } from '../shell/scope';

const AddNode = lazy(() => import('@/features/edit/add-node').then(({ AddNode: of }) => ({ default: of })));
const ConnectTo = lazy(() => import('@/features/edit/connect-to').then(({ ConnectTo: of }) => ({ default: of })));
const DeclareSource = lazy(() => import('@/features/edit/declare-source').then(({ DeclareSource: of }) => ({ default: of })));
const RemoveNodes = lazy(() => import('@/features/edit/remove-nodes').then(({ RemoveNodes: of }) => ({ default: of })));
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

/** Answers who else looks at which node. */
function useOthers(): ReadonlyMap<string, readonly string[]> {
  const { project, search } = useScope();
  const { data } = usePresence(project, search.node);
  return useMemo(() => {
    const at = new Map<string, string[]>();
    for (const { actor, unique_id } of data?.others ?? []) {
      if (unique_id) at.set(unique_id, [...new Set([...(at.get(unique_id) ?? []), actorName(actor)])]);
    }
    return at;
  }, [data]);
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

/** Is the dialog of the gesture that is under way. */
function Asking({ graph, editing, onEnd }: { graph: Graph; editing: Gesture; onEnd: () => void }) {
  const { project, search, change } = useScope();
  const open = (node: string | undefined) => {
    onEnd();
    void change({ node, tab: undefined, line: undefined }, true);
  };
  switch (editing.kind) {
    case 'add':
      return <AddNode project={project} graph={graph} from={editing.from} onAdded={open} onSource={() => gesture.set({ kind: 'source' })} onClose={onEnd} />;
    case 'connect':
      return <ConnectTo project={project} graph={graph} id={editing.id} onClose={onEnd} />;
    case 'source':
      return <DeclareSource project={project} graph={graph} onDeclared={open} onClose={onEnd} />;
    case 'remove':
      return (
        <RemoveNodes
          project={project}
          graph={graph}
          ids={editing.ids}
          onRemoved={() => open(search.node !== undefined && editing.ids.includes(search.node) ? undefined : search.node)}
          onClose={onEnd}
        />
      );
    // The panel asks, or another page.
    case 'rename':
    case 'plan':
    case 'new-file':
    case 'move-file':
    case 'remove-file':
    case 'new-environment':
      return null;
  }
}

function GraphView() {
  const editing = useStore(gesture);
  const { project, environment, search, change } = useScope();
  const { data: graph, error, refetch } = useGraph(project, environment);
  const steps = useSteps();
  const chosen = useChosen();
  const place = usePlaceNode(project);
  const connect = useConnect(project);
  const { run } = useRunning();
  const others = useOthers();
  if (error && !graph) return <ProblemBlank heading="h1" problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!graph) return <CanvasSkeleton />;
  const add = (from: string[]) => gesture.set({ kind: 'add', from });
  const remove = (ids: string[]) => ids.length > 0 && gesture.set({ kind: 'remove', ids });
  const dialog = editing && (
    <Suspense fallback={null}>
      <Asking graph={graph} editing={editing} onEnd={() => gesture.set(null)} />
    </Suspense>
  );
  if (graph.nodes.length === 0) {
    return (
      <>
        <Blank title="No nodes yet" actions={<Button look="primary" onClick={() => add([])}>Add a node</Button>}>
          A node is a model: a select that becomes a view or a table.
        </Blank>
        {dialog}
      </>
    );
  }
  const selector = (ids: readonly string[]) => graph.nodes.filter((node) => ids.includes(node.unique_id)).map(selectorOf).join(' ');
  const picked = (ids: string[], letGo: () => void) => (
    <PickedBar
      count={ids.length}
      onRun={() => run(selector(ids))}
      onSelect={() => void change({ select: selector(ids) })}
      onAdd={() => add(ids)}
      onRemove={() => remove(ids)}
      onLetGo={letGo}
    />
  );
  return (
    <>
      <Canvas
        project={project}
        graph={graph}
        steps={steps}
        selected={search.node}
        chosen={chosen}
        onSelect={(node) => void change({ node, line: undefined, ...(node === undefined && { tab: undefined }) }, true)}
        onPlace={(node_key, x, y) => place.mutate({ node_key, x, y })}
        onConnect={(from, to) => connect.mutate({ from, to, baseVersion: graph.version })}
        onAdd={add}
        onConnectTo={(id) => gesture.set({ kind: 'connect', id })}
        onRemove={remove}
        others={others}
        picked={picked}
      />
      {dialog}
    </>
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
  const [wide, setWide] = useState(false);
  useFollow();
  const node = search.node;
  const side = node !== undefined && (
    <Suspense fallback={<SkeletonLines lines={12} label="Loading the panel" />}>
      <Panel
        id={node}
        state={<NodeState id={node} />}
        onRun={(found) => run(selectorOf(found))}
        onBuild={(found) => run(`+${selectorOf(found)}`)}
        onConnect={(id) => gesture.set({ kind: 'connect', id })}
        onRemove={(id) => gesture.set({ kind: 'remove', ids: [id] })}
        wide={wide}
        onWide={setWide}
      />
    </Suspense>
  );
  return (
    <>
      <h1 className="only-heard">Graph</h1>
      <Split name="node" label="Width of the panel" {...PANEL} wide={wide} main={<GraphView />} side={side || null} />
    </>
  );
}
