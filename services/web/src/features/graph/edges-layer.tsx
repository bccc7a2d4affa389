import { type Node, type NodeProps, Position, getBezierPath } from '@xyflow/react';
import { memo, useMemo } from 'react';

import { useStore } from '@/lib/store';

import styles from './graph.module.css';
import { useWatched } from './graph-node';
import { edgeHeat } from './highlight';
import { NODE_HEIGHT, NODE_WIDTH, type Point, piecesOf } from './layout';

/** Is an edge with the line that it is drawn as. */
interface Line {
  source: string;
  target: string;
  path: string;
}

export type EdgesNodeType = Node<{ lines: readonly Line[]; placed: number }, 'edges'>;

/** Makes the layer that draws all edges: one node, so that a move of the canvas concerns none of them. */
export function edgesNode(edges: readonly (readonly [string, string])[], at: ReadonlyMap<string, Point>): EdgesNodeType[] {
  const points = [...at.values()];
  if (points.length === 0) return [];
  const [left, top] = [Math.min(...points.map(({ x }) => x)), Math.min(...points.map(({ y }) => y))];
  const size = { width: Math.max(...points.map(({ x }) => x)) + NODE_WIDTH - left, height: Math.max(...points.map(({ y }) => y)) + NODE_HEIGHT - top };
  const lines = edges.flatMap(([source, target]): Line[] => {
    const [from, to] = [at.get(source), at.get(target)];
    if (!from || !to) return [];
    const [path] = getBezierPath({
      sourceX: from.x + NODE_WIDTH - left,
      sourceY: from.y + NODE_HEIGHT / 2 - top,
      sourcePosition: Position.Right,
      targetX: to.x - left,
      targetY: to.y + NODE_HEIGHT / 2 - top,
      targetPosition: Position.Left,
    });
    return [{ source, target, path }];
  });
  const fixed = { draggable: false, selectable: false, connectable: false, focusable: false, zIndex: -1, style: { pointerEvents: 'none' as const } };
  const start = ({ source }: Line) => at.get(source) ?? { x: 0, y: 0 };
  lines.sort((a, b) => start(a).x - start(b).x || start(a).y - start(b).y);
  return [{ id: 'edges', type: 'edges', position: { x: left, y: top }, data: { lines, placed: points.length }, ...size, measured: size, ...fixed }];
}

/** Draws all edges: the faint ones, the lineage of the node that is looked at, and its own. */
export const EdgesLayer = memo(function EdgesLayer({ data: { lines, placed }, width, height }: NodeProps<EdgesNodeType>) {
  const { highlight } = useWatched();
  const all = useStore(highlight);
  const cold = useMemo(() => piecesOf(lines).map((some) => some.map(({ path }) => path).join('')), [lines]);
  const of = (heat: 'hot' | 'warm') => lines.filter(({ source, target }) => edgeHeat(all, source, target) === heat).map(({ path }) => path).join('');
  return (
    <svg className={styles.edges} width={width} height={height} data-edges={lines.length} data-placed={placed} data-lit={all.center !== undefined || undefined} aria-hidden="true">
      <g className={styles.cold}>
        {cold.map((path, at) => (
          <path key={at} d={path} />
        ))}
      </g>
      <path className={styles.warm} d={of('warm')} />
      <path className={styles.hot} d={of('hot')} />
    </svg>
  );
});
