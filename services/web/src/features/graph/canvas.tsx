import '@xyflow/react/dist/base.css';

import {
  Background,
  BackgroundVariant,
  type Connection,
  type OnConnectEnd,
  type OnNodeDrag,
  ReactFlow,
  ReactFlowProvider,
  useNodesState,
  useReactFlow,
} from '@xyflow/react';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { Graph, RunStep } from '@/api/schema';
import { Skeleton } from '@/components/ui/bits';
import { ProblemBlank } from '@/components/ui/problem';
import { useDraftPaths } from '@/lib/drafts';
import { createStore } from '@/lib/store';

import { FocusNotice, Overview, Tools } from './canvas-tools';
import { Dust, LARGE, speckAt } from './dust';
import { EdgesLayer } from './edges-layer';
import styles from './graph.module.css';
import { GraphNode, type Others, type Watched, WatchedContext } from './graph-node';
import { FrameNode, GroupNode, ToggleContext } from './group-node';
import { createHighlight, highlightOf } from './highlight';
import { NODE_HEIGHT } from './layout';
import { around, keyOf, modelOf, only } from './model';
import { type Drawn, place } from './place';
import { PlainNodes } from './plain-nodes';
import { type States, statesOf } from './states';
import { useDrawn } from './use-drawn';
import { type Grouping, useGroups } from './use-groups';
import { useFirstSight, useInSight } from './use-in-sight';
import { type Layout, useLayout } from './use-layout';
import { usePointer, useRectangle } from './use-pointer';
import { useToggle } from './use-toggle';
import { useZoomLevel } from './use-zoom-level';
import { type Direction, walk } from './walk';

const NODE_TYPES = { dbt: GraphNode, group: GroupNode, frame: FrameNode, edges: EdgesLayer, dust: Dust, plain: PlainNodes };
const ZOOM = { min: 0.03, max: 2 };
const ADD_TO_SELECTION = ['Control', 'Meta'];
/** How far the focus on a node reaches. */
const FOCUS_STEPS = 2;
/** How far Alt and an arrow key move a node, in the canvas's pixels. */
const NUDGE = 20;
/** How long after the last key a node that was moved by keys is pinned: one pin, not one a key. */
const NUDGE_SETTLES_MS = 300;
const NUDGES: Record<Direction, [number, number]> = { left: [-NUDGE, 0], right: [NUDGE, 0], up: [0, -NUDGE], down: [0, NUDGE] };
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
  /** Adds a node that reads some, by their unique_ids. */
  onAdd: (from: string[]) => void;
  /** Lets the user choose what a node reads or is read by. */
  onConnectTo: (uniqueId: string) => void;
  onRemove: (uniqueIds: string[]) => void;
  /** Who else looks at what, by unique_id. */
  others: Others;
  /** Draws what can be done with several nodes. */
  picked: (uniqueIds: string[], letGo: () => void) => ReactNode;
}

function useStates(nodes: Graph['nodes'], steps: readonly RunStep[]) {
  const [states] = useState(() => createStore<States>(new Map()));
  useEffect(() => states.set(statesOf(nodes, steps, states.get())), [states, nodes, steps]);
  return states;
}

function useDrafts(project: string) {
  const paths = useDraftPaths(project);
  const list = paths.join('\n');
  const [drafts] = useState(() => createStore<ReadonlySet<string>>(new Set(paths)));
  useEffect(() => drafts.set(new Set(list.split('\n'))), [drafts, list]);
  return drafts;
}

function useChosen(nodes: Graph['nodes'], chosen: CanvasProps['chosen'], { inside }: Grouping['view']) {
  return useMemo(() => {
    if (!chosen) return null;
    const keys = nodes.filter((node) => chosen.has(node.unique_id)).map((node) => node.node_key);
    return new Set(keys.map((key) => inside.get(key) ?? key));
  }, [nodes, chosen, inside]);
}

function colourOf(type: string | undefined, data: unknown): string {
  if (type === 'frame' || type === 'edges' || type === 'dust' || type === 'plain') return 'transparent';
  if (type === 'group') return 'var(--line3)';
  return `var(--${(data as { node: { resource_type: string } }).node.resource_type}, var(--analysis))`;
}

type DrawingProps = CanvasProps & {
  layout: Layout;
  grouping: Grouping;
  focus: string | undefined;
  onFocus: (key: string | undefined) => void;
  watched: Watched;
};

function Drawing({ layout, grouping, focus, onFocus, watched, ...canvas }: DrawingProps) {
  const { graph, selected, onSelect, onPlace, onConnect, onAdd, onConnectTo, onRemove } = canvas;
  const { view, positions } = layout;
  const flow = useReactFlow<Drawn>();
  const [nodes, setNodes, onNodesChange] = useNodesState<Drawn>([]);
  const pointer = usePointer();
  const [cursor, setCursor] = useState<string>();
  const chosen = useChosen(graph.nodes, canvas.chosen, view);
  const selectedKey = keyOf(view, selected);
  const current = cursor ?? selectedKey;
  /** Where keys moved nodes to, until the graph has it: what it says meanwhile is older. */
  const nudged = useRef(new Map<string, { x: number; y: number }>());
  useEffect(() => {
    for (const [id, { x, y }] of nudged.current) {
      const node = view.nodes.get(id);
      if (node?.x === x && node.y === y) nudged.current.delete(id);
    }
    setNodes((before) => {
      const placed = place(view, positions, new Set(before.filter((node) => node.selected).map((node) => node.id)));
      return placed.map((node) => ({ ...node, position: nudged.current.get(node.id) ?? node.position }));
    });
  }, [setNodes, view, positions]);
  useEffect(
    () => watched.highlight.set(highlightOf(view, current, pointer.hovered, chosen)),
    [watched, view, current, pointer.hovered, chosen],
  );
  const isPart = layout.view !== grouping.view;
  const [opened, setOpened] = useState(0);
  const fit = useFirstSight(current, positions, isPart ? focus : opened, flow);
  const toggle = useToggle(grouping.toggle, nodes, flow);
  const isLarge = view.nodes.size > LARGE;
  const { isFar, seen } = useZoomLevel(isLarge);
  const idsOf = (keys: readonly string[]) => keys.flatMap((key) => view.nodes.get(key)?.unique_id ?? []);
  const picked = nodes.filter((node) => node.selected && node.type === 'dbt').map((node) => node.id);
  const pick = (wanted: (key: string, before: boolean) => boolean) =>
    setNodes((before) => before.map((node) => (node.type === 'dbt' ? { ...node, selected: wanted(node.id, node.selected === true) } : node)));
  const select = (key: string | undefined) => {
    const node = key === undefined ? undefined : view.nodes.get(key);
    setCursor(node ? undefined : key);
    onSelect(node?.unique_id);
  };
  const pressed = useRef(select);
  useEffect(() => {
    pressed.current = select;
  });
  const onPress = useCallback((key: string | undefined) => pressed.current(key), []);
  const { drawn, dust } = useDrawn(view, nodes, { current, held: pointer.held, isFar, onPress });
  useRectangle(nodes, (keys) => isLarge && pick((key) => keys.has(key)));
  const onPaneClick = (event: MouseEvent) => select(dust ? speckAt(dust, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })) : undefined);
  const toggleAll = (open: boolean) => {
    grouping.toggleAll(open);
    setOpened(opened + 1);
  };
  useInSight(current, flow, nodes.length);
  const meant = picked.length > 1 ? picked : current === undefined ? [] : [current];
  const keys: Record<string, () => void> = {
    f: () => onFocus(focus === undefined ? selectedKey : undefined),
    a: () => onAdd(idsOf(meant)),
    c: () => idsOf(meant).slice(0, 1).forEach(onConnectTo),
    Delete: () => onRemove(idsOf(meant)),
    Backspace: () => onRemove(idsOf(meant)),
    Enter: () => current !== undefined && view.closed.has(current) && toggle(current),
    Escape: () => {
      if (focus !== undefined) onFocus(undefined);
      else if (picked.length > 1) pick(() => false);
      else select(undefined);
    },
  };
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined);
  const nudge = (direction: Direction) => {
    const moved = nodes.find(({ id, type }) => id === current && type === 'dbt');
    if (!moved) return;
    const [dx, dy] = NUDGES[direction];
    const position = { x: Math.round(moved.position.x) + dx, y: Math.round(moved.position.y) + dy };
    nudged.current.set(moved.id, position);
    setNodes((before) => before.map((node) => (node.id === moved.id ? { ...node, position } : node)));
    clearTimeout(settling.current);
    settling.current = setTimeout(() => onPlace(moved.id, position.x, position.y), NUDGE_SETTLES_MS);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey) return;
    const direction = ARROWS[event.key];
    const act = event.shiftKey || event.altKey ? undefined : keys[event.key];
    if (direction && event.altKey) nudge(direction);
    else if (direction) {
      const to = current === undefined ? nodes.find((node) => node.type !== 'frame')?.id : walk(view, positions, current, direction);
      if (to !== undefined) {
        // With Shift the walk picks what it comes by.
        pick((key, before) => key === to || (event.shiftKey && (before || key === current)));
        select(to);
      }
    } else if (act) act();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onNodeDragStop: OnNodeDrag<Drawn> = (_, __, moved) => {
    for (const { id, type, position } of moved) if (type === 'dbt') onPlace(id, Math.round(position.x), Math.round(position.y));
  };
  const connect = ({ source, target }: Connection) => {
    const [from, to] = idsOf([source, target]);
    if (from !== undefined && to !== undefined) onConnect(from, to);
  };
  const onConnectEnd: OnConnectEnd = (_, { fromNode, fromHandle, toNode }) => {
    if (fromNode && !toNode && fromHandle.type === 'source') onAdd(idsOf([fromNode.id]));
  };
  const heard = current === undefined ? undefined : (view.nodes.get(current) ?? view.closed.get(current));
  return (
    // The arrow keys walk the graph as they walk a tree: that is what this role is for.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions
    <div className={styles.canvas} data-large={isLarge || undefined} {...seen} id="canvas" role="application" aria-label={`Graph of ${graph.nodes.length} nodes; the arrow keys walk it`} tabIndex={0} onKeyDown={onKeyDown} {...pointer.own}>
      <ToggleContext value={toggle}>
        <ReactFlow
          nodes={drawn}
          nodeTypes={NODE_TYPES}
          onNodesChange={onNodesChange}
          onNodeClick={(event, node) => {
            if (node.type === 'group') toggle(node.id);
            else if (node.type === 'dbt' && !event.ctrlKey && !event.metaKey && !event.shiftKey) select(node.id);
          }}
          {...pointer.flow}
          onPaneClick={onPaneClick}
          onNodeDragStop={onNodeDragStop}
          onConnect={connect}
          onConnectEnd={onConnectEnd}
          onlyRenderVisibleElements={!isLarge}
          nodesFocusable={false}
          edgesFocusable={false}
          disableKeyboardA11y
          deleteKeyCode={null}
          multiSelectionKeyCode={ADD_TO_SELECTION}
          selectNodesOnDrag={false}
          zoomOnDoubleClick={false}
          panOnScroll
          nodeDragThreshold={4}
          minZoom={ZOOM.min}
          maxZoom={ZOOM.max}
        >
          {!isLarge && seen['data-zoom'] === undefined && <Background variant={BackgroundVariant.Dots} gap={20} size={1} color="var(--line3)" />}
          <Overview colourOf={colourOf} dust={dust} />
          <Tools onFit={fit} onFocus={focus === undefined && selectedKey !== undefined ? () => onFocus(selectedKey) : undefined} onToggleAll={focus === undefined && grouping.groups.size > 0 ? toggleAll : undefined} onAdd={() => onAdd(idsOf(meant))} />
          {focus !== undefined && <FocusNotice name={view.nodes.get(focus)?.name ?? ''} steps={FOCUS_STEPS} onLeave={() => onFocus(undefined)} />}
        </ReactFlow>
      </ToggleContext>
      {picked.length > 1 && canvas.picked(idsOf(picked), () => pick(() => false))}
      <div className="only-heard" aria-live="polite">
        {heard && ('label' in heard ? `${heard.label}, ${heard.members.length} nodes, closed` : `${heard.name}, ${heard.resource_type}`)}
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
  const { project, graph, steps, selected } = canvas;
  const [focus, setFocus] = useState<string>();
  const [highlight] = useState(createHighlight);
  const states = useStates(graph.nodes, steps);
  const whole = useMemo(() => modelOf(graph), [graph]);
  const grouping = useGroups(project, whole, keyOf(whole, selected));
  const { view } = grouping;
  const part = useMemo(() => {
    if (focus === undefined || !whole.nodes.has(focus)) return null;
    return { ...only(whole, around(whole, focus, FOCUS_STEPS)), closed: new Map(), open: [], inside: new Map() };
  }, [whole, focus]);
  const { layout, error } = useLayout(project, view, part);
  const [others] = useState(() => createStore<Others>(new Map()));
  useEffect(() => others.set(canvas.others), [others, canvas.others]);
  const drafts = useDrafts(project);
  const watched = useMemo(() => ({ highlight, states, others, drafts }), [highlight, states, others, drafts]);
  if (error) return <ProblemBlank problem={{ code: 'LAYOUT', detail: error.message, trace_id: '' }} />;
  return (
    <WatchedContext value={watched}>
      <ReactFlowProvider>
        <Drawing {...canvas} layout={layout} grouping={grouping} focus={focus} onFocus={setFocus} watched={watched} />
      </ReactFlowProvider>
    </WatchedContext>
  );
}
