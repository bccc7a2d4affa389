import type { ReactFlowInstance } from '@xyflow/react';
import { useEffect, useRef } from 'react';

import { FIT } from './canvas-tools';
import { NODE_HEIGHT, NODE_WIDTH, type Positions } from './layout';
import type { Drawn } from './place';

/** How much of the canvas's edge counts as out of sight. */
const MARGIN = 24;

/** Brings a node into sight where it is not, as when a panel opens over its place. */
export function useInSight(key: string | undefined, flow: Pick<ReactFlowInstance, 'getNode' | 'flowToScreenPosition' | 'setCenter' | 'getZoom'>, drawn: unknown): void {
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
  }, [key, flow, drawn]);
}

/** How large a graph is drawn that is opened at one of its nodes. */
const READABLE = 0.9;

/** Shows the whole graph at first, or the node that the address names, large enough to read; a part of it whole. */
export function useFirstSight(
  key: string | undefined,
  positions: Positions,
  part: string | undefined,
  flow: Pick<ReactFlowInstance<Drawn>, 'setCenter' | 'fitView'>,
): void {
  const first = useRef({ key, positions });
  useEffect(() => {
    const { key: at, positions: known } = first.current;
    const point = at === undefined ? undefined : known.get(at);
    const frame = requestAnimationFrame(() => {
      // Later the whole graph is shown: after a part of it.
      first.current = { key: undefined, positions: known };
      if (point) void flow.setCenter(point.x + NODE_WIDTH / 2, point.y + NODE_HEIGHT / 2, { zoom: READABLE });
      else void flow.fitView(FIT);
    });
    return () => cancelAnimationFrame(frame);
  }, [flow, part]);
}
