import type { MiniMapNodeProps, Node, NodeProps } from '@xyflow/react';
import { Fragment, memo, useMemo } from 'react';

import { useStore } from '@/lib/store';

import styles from './graph.module.css';
import { type DbtNode, useWatched } from './graph-node';
import { NODE_HEIGHT, NODE_WIDTH, type Point, piecesOf } from './layout';

/** From how many nodes on those that are too small to read are drawn together. */
export const LARGE = 300;
/** Below this zoom words cannot be read. */
export const FAR = 0.4;

interface Speck extends Point {
  key: string;
  kind: string;
}

export type DustNodeType = Node<{ specks: readonly Speck[] }, 'dust'>;

/** How wide the stripe of a box is: more than a node's, as it is seen from far away. */
const STRIPE = 14;

/** How much smaller a box is than its node on each side: below the node nothing of it is seen at the round corners. */
const INSET = 3;

function boxes(specks: readonly Speck[], from: Point, width = NODE_WIDTH - 2 * INSET): string {
  return specks.map(({ x, y }) => `M${x + INSET - from.x} ${y + INSET - from.y}h${width}v${NODE_HEIGHT - 2 * INSET}h${-width}z`).join('');
}

function byKind(specks: readonly Speck[]): Map<string, Speck[]> {
  const kinds = new Map<string, Speck[]>();
  for (const speck of specks) kinds.set(speck.kind, [...(kinds.get(speck.kind) ?? []), speck]);
  return kinds;
}

/** Makes the node that stands for all others while they are too small to read, or have just come into sight. */
export function dustNode(nodes: readonly DbtNode[]): DustNodeType[] {
  const specks = nodes.map(({ id, position, data }) => ({ key: id, kind: data.node.resource_type, ...position })).sort((a, b) => a.x - b.x || a.y - b.y);
  if (specks.length === 0) return [];
  const [x, y] = [Math.min(...specks.map((speck) => speck.x)), Math.min(...specks.map((speck) => speck.y))];
  const size = { width: Math.max(...specks.map((speck) => speck.x)) + NODE_WIDTH - x, height: Math.max(...specks.map((speck) => speck.y)) + NODE_HEIGHT - y };
  return [{ id: 'dust', type: 'dust', position: { x, y }, data: { specks }, ...size, measured: size, draggable: false, selectable: false, connectable: false, focusable: false, zIndex: -1, style: { pointerEvents: 'none' } }];
}

/** Draws nodes as boxes in the colours of their kinds; those that failed, and those that no selector finds, stand out. */
export const Dust = memo(function Dust({ data: { specks }, positionAbsoluteX: x, positionAbsoluteY: y }: NodeProps<DustNodeType>) {
  const { highlight, states } = useWatched();
  const { chosen } = useStore(highlight);
  const stood = useStore(states);
  const drawn = useMemo(() => {
    const from = { x, y };
    const isChosen = ({ key }: Speck) => chosen === null || chosen.has(key);
    const failed = specks.filter(({ key }) => stood.get(key)?.status?.tone === 'bad');
    return {
      faint: boxes(specks.filter((speck) => !isChosen(speck)), from),
      kinds: [...byKind(specks.filter(isChosen))].map(([kind, some]) => ({ kind, pieces: piecesOf(some).map((few) => ({ path: boxes(few, from), stripes: boxes(few, from, STRIPE) })) })),
      failed: boxes(failed, from),
    };
  }, [specks, x, y, chosen, stood]);
  return (
    <svg className={styles.dust} aria-hidden="true">
      <path d={drawn.faint} fill="var(--line)" />
      {drawn.kinds.map(({ kind, pieces }) => (
        <g key={kind} style={{ ['--kind' as string]: `var(--${kind}, var(--analysis))` }}>
          {pieces.map(({ path, stripes }, at) => (
            <Fragment key={at}>
              <path className={styles.speck} d={path} />
              <path fill="var(--kind)" d={stripes} />
            </Fragment>
          ))}
        </g>
      ))}
      <path d={drawn.failed} fill="var(--bad)" />
    </svg>
  );
});

/** Draws a node of the map; the many as one. */
export function mapNode(dust: DustNodeType | undefined) {
  const specks = dust?.data.specks ?? [];
  const many = new Set(specks.map(({ key }) => key));
  const kinds = [...byKind(specks)].map(([kind, some]) => <path key={kind} d={boxes(some, { x: 0, y: 0 })} fill={`var(--${kind}, var(--analysis))`} />);
  return function MapNode({ id, x, y, width, height, color }: MiniMapNodeProps) {
    if (id === 'dust') return kinds;
    return many.has(id) || color === 'transparent' ? null : <rect x={x} y={y} width={width} height={height} rx={6} fill={color ?? 'none'} />;
  };
}

/** Finds the node at a place of the canvas. */
export function speckAt({ data: { specks } }: DustNodeType, { x, y }: Point): string | undefined {
  return specks.find((speck) => speck.x <= x && x <= speck.x + NODE_WIDTH && speck.y <= y && y <= speck.y + NODE_HEIGHT)?.key;
}
