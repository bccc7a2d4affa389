import '@xyflow/react/dist/base.css';

import {
  Background,
  BackgroundVariant,
  type Connection,
  MiniMap,
  type OnNodeDrag,
  Panel,
  ReactFlow,
  type ReactFlowInstance,
  ReactFlowProvider,
  useNodesState,
  useReactFlow,
} from '@xyflow/react';
import { type KeyboardEvent, useEffect, useMemo, useState } from 'react';

import type { Graph, RunStep } from '@/api/schema';
import { Skeleton } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { FitIcon, MinusIcon, PlusIcon } from '@/components/ui/icons';
import { ProblemBlank } from '@/components/ui/problem';
import { createStore } from '@/lib/store';

import styles from './graph.module.css';
import { GraphEdge } from './graph-edge';
import { type DbtNode, GraphNode, type Watched, WatchedContext } from './graph-node';
import { createHighlight, highlightOf } from './highlight';
import { NODE_HEIGHT, NODE_WIDTH, type Positions } from './layout';
import { type GraphModel, around, keyOf, modelOf, only } from './model';
import { type States, statesOf } from './states';
import { type Layout, useLayout } from './use-layout';
import { type Direction, walk } from './walk';

const NODE_TYPES = { dbt: GraphNode };
const EDGE_TYPES = { dbt: GraphEdge };
const FIT = { padding: 0.12, maxZoom: 1, duration: 180 };
const ZOOM = { min: 0.05, max: 2 };
/** How far the focus on a node reaches. */
const FOCUS_STEPS = 2;
const ARROWS: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down', '[': 'left', ']': 'right' };

export interface CanvasProps {
  project: string;
  graph: Graph;
  /** The steps of the run whose states the nodes show. */
  steps: readonly RunStep[];
  /** The unique_id of the selected node. */
  selected: string | undefined;
  onSelect: (uniqueId: string | undefined) => void;
  /** The unique_ids that a selector finds; null where there is none. */
  chosen: ReadonlySet<string> | null;
  onPlace: (nodeKey: string, x: number, y: number) => void;
  onConnect: (from: string, to: string) => void;
}

function place(model: GraphModel, positions: Positions): DbtNode[] {
  return [...model.nodes.values()].flatMap((node) => {
    const laid = positions.get(node.node_key);
    const at = node.x != null && node.y != null ? { x: node.x, y: node.y } : laid;
    if (!at) return [];
    const size = { width: NODE_WIDTH, height: NODE_HEIGHT };
    return [{ id: node.node_key, type: 'dbt' as const, position: at, data: { node }, ...size, measured: size }];
  });
}

function useStates(nodes: Graph['nodes'], steps: readonly RunStep[]) {
  const [states] = useState(() => createStore<States>(new Map()));
  useEffect(() => states.set(statesOf(nodes, steps, states.get())), [states, nodes, steps]);
  return states;
}

function useChosen(nodes: Graph['nodes'], chosen: CanvasProps['chosen']) {
  return useMemo(
    () => chosen && new Set(nodes.filter((node) => chosen.has(node.unique_id)).map((node) => node.node_key)),
    [nodes, chosen],
  );
}

function Tools() {
  const flow = useReactFlow();
  return (
    <Panel position="bottom-left" className={styles.tools ?? ''}>
      <Button look="icon" aria-label="Zoom out" onClick={() => void flow.zoomOut({ duration: 120 })}>
        <MinusIcon />
      </Button>
      <Button look="icon" aria-label="Zoom in" onClick={() => void flow.zoomIn({ duration: 120 })}>
        <PlusIcon />
      </Button>
      <Button look="icon" aria-label="Zoom to fit" onClick={() => void flow.fitView(FIT)}>
        <FitIcon />
      </Button>
    </Panel>
  );
}

function FocusNotice({ name, onLeave }: { name: string; onLeave: () => void }) {
  return (
    <Panel position="top-center" className={styles.notice ?? ''}>
      <span>
        Around <b className="mono">{name}</b>, {FOCUS_STEPS} steps each way
      </span>
      <Button look="quiet" onClick={onLeave}>
        Show all <kbd>F</kbd>
      </Button>
    </Panel>
  );
}

/** How much of the canvas's edge counts as out of sight. */
const MARGIN = 24;

/** Brings the selected node into sight where it is not, as when a panel opens over its place. */
function useInSight(key: string | undefined, flow: ReactFlowInstance<DbtNode>): void {
  useEffect(() => {
    if (key === undefined) return;
    const frame = requestAnimationFrame(() => {
      const [node, canvas] = [flow.getNode(key), document.getElementById('canvas')?.getBoundingClientRect()];
      if (!node || !canvas) return;
      const { x, y } = node.position;
      const from = flow.flowToScreenPosition({ x, y });
      const to = flow.flowToScreenPosition({ x: x + NODE_WIDTH, y: y + NODE_HEIGHT });
      const isSeen =
        from.x > canvas.left + MARGIN && to.x < canvas.right - MARGIN && from.y > canvas.top + MARGIN && to.y < canvas.bottom - MARGIN;
      if (!isSeen) void flow.setCenter(x + NODE_WIDTH / 2, y + NODE_HEIGHT / 2, { zoom: flow.getZoom(), duration: 180 });
    });
    return () => cancelAnimationFrame(frame);
  }, [key, flow]);
}

type DrawingProps = CanvasProps & {
  layout: Layout;
  focus: string | undefined;
  onFocus: (key: string | undefined) => void;
  watched: Watched;
};

function Drawing({ layout: { model, positions }, focus, onFocus, watched, ...canvas }: DrawingProps) {
  const { graph, selected, onSelect, onPlace, onConnect } = canvas;
  const flow = useReactFlow<DbtNode>();
  const [nodes, setNodes, onNodesChange] = useNodesState<DbtNode>([]);
  const [hovered, setHovered] = useState<string>();
  const chosen = useChosen(graph.nodes, canvas.chosen);
  const selectedKey = keyOf(model, selected);
  useEffect(() => setNodes(place(model, positions)), [setNodes, model, positions]);
  useEffect(
    () => watched.highlight.set(highlightOf(model, selectedKey, hovered, chosen)),
    [watched, model, selectedKey, hovered, chosen],
  );
  useEffect(() => void flow.fitView(FIT), [flow, focus]);
  const edges = useMemo(
    () => model.edges.map(([source, target]) => ({ id: `${source}>${target}`, source, target, type: 'dbt' })),
    [model],
  );
  const select = (key: string) => onSelect(model.nodes.get(key)?.unique_id);
  useInSight(selectedKey, flow);
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = ARROWS[event.key];
    if (direction) {
      const from = selectedKey ?? nodes[0]?.id;
      const to = from === undefined ? undefined : selectedKey === undefined ? from : walk(model, positions, from, direction);
      if (to !== undefined) select(to);
    } else if (event.key === 'f' && !event.ctrlKey && !event.metaKey) onFocus(focus === undefined ? selectedKey : undefined);
    else if (event.key === 'Escape' && focus !== undefined) onFocus(undefined);
    else if (event.key === 'Escape') onSelect(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onNodeDragStop: OnNodeDrag<DbtNode> = (_, node) => {
    const before = nodes.find((known) => known.id === node.id);
    if (before) onPlace(node.id, Math.round(node.position.x), Math.round(node.position.y));
  };
  const connect = ({ source, target }: Connection) => {
    const [from, to] = [model.nodes.get(source), model.nodes.get(target)];
    if (from && to) onConnect(from.unique_id, to.unique_id);
  };
  const heard = selected && model.nodes.get(selectedKey ?? '');
  return (
    // The arrow keys walk the graph as they walk a tree: that is what this role is for.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions
    <div className={styles.canvas} id="canvas" role="application" aria-label={`Graph of ${graph.nodes.length} nodes; the arrow keys walk it`} tabIndex={0} onKeyDown={onKeyDown}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onNodeClick={(_, node) => onSelect(node.data.node.unique_id)}
        onNodeMouseEnter={(_, node) => setHovered(node.id)}
        onNodeMouseLeave={() => setHovered(undefined)}
        onPaneClick={() => onSelect(undefined)}
        onNodeDragStop={onNodeDragStop}
        onConnect={connect}
        onlyRenderVisibleElements
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectNodesOnDrag={false}
        zoomOnDoubleClick={false}
        panOnScroll
        nodeDragThreshold={4}
        minZoom={ZOOM.min}
        maxZoom={ZOOM.max}
        fitView
        fitViewOptions={FIT}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1} color="var(--line3)" />
        <MiniMap
          className={styles.minimap ?? ''}
          position="bottom-left"
          style={{ width: 150, height: 92 }}
          ariaLabel="Map of the graph"
          pannable
          zoomable
          bgColor="var(--surface)"
          maskColor="color-mix(in srgb, var(--bg) 70%, transparent)"
          maskStrokeColor="var(--accent)"
          maskStrokeWidth={2}
          nodeColor={(node) => `var(--${(node as DbtNode).data.node.resource_type}, var(--analysis))`}
          nodeBorderRadius={6}
        />
        <Tools />
        {focus !== undefined && <FocusNotice name={model.nodes.get(focus)?.name ?? ''} onLeave={() => onFocus(undefined)} />}
      </ReactFlow>
      <div className="only-heard" aria-live="polite">
        {heard ? `${heard.name}, ${heard.resource_type}` : ''}
      </div>
    </div>
  );
}

/** Holds the place of the canvas. */
export function CanvasSkeleton() {
  return (
    <div className={styles.skeleton} role="status" aria-label="Loading the graph">
      {Array.from({ length: 20 }, (_, at) => (
        <Skeleton key={at} height={NODE_HEIGHT} style={{ borderRadius: 8, opacity: at % 3 === 2 ? 0 : 0.8 }} />
      ))}
    </div>
  );
}

/** Shows the graph of a project from left to right. */
export function Canvas(canvas: CanvasProps) {
  const { project, graph, steps } = canvas;
  const [focus, setFocus] = useState<string>();
  const [highlight] = useState(createHighlight);
  const states = useStates(graph.nodes, steps);
  const whole = useMemo(() => modelOf(graph), [graph]);
  const model = useMemo(
    () => (focus !== undefined && whole.nodes.has(focus) ? only(whole, around(whole, focus, FOCUS_STEPS)) : whole),
    [whole, focus],
  );
  const { layout, error } = useLayout(project, model, model === whole);
  const watched = useMemo(() => ({ highlight, states }), [highlight, states]);
  if (error) return <ProblemBlank problem={{ code: 'LAYOUT', detail: error.message, trace_id: '' }} />;
  if (!layout) return <CanvasSkeleton />;
  return (
    <WatchedContext value={watched}>
      <ReactFlowProvider>
        <Drawing {...canvas} layout={layout} focus={focus} onFocus={setFocus} watched={watched} />
      </ReactFlowProvider>
    </WatchedContext>
  );
}
