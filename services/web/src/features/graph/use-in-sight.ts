import { type ReactFlowInstance, useStore } from '@xyflow/react';
import { useEffect, useRef } from 'react';

import { FIT } from './canvas-tools';
import { NODE_HEIGHT, NODE_WIDTH, type Positions } from './layout';
import type { Drawn } from './place';

/** How much of the canvas's edge counts as out of sight. */
const MARGIN = 24;

/** Brings a node into sight where it is not, as when a panel opens over its place. */
export function useInSight(key: string | undefined, flow: Pick<ReactFlowInstance, 'viewportInitialized' | 'getNode' | 'flowToScreenPosition' | 'setCenter' | 'getZoom'>, drawn: unknown): void {
  const width = useStore((canvas) => canvas.width);
  useEffect(() => {
    if (key === undefined || !flow.viewportInitialized) return;
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
  }, [key, flow, drawn, width]);
}

/** How large a graph is drawn that is opened at one of its nodes. */
const READABLE = 0.9;

/** Shows the whole graph at first, or the node that the address names, large enough to read; another part of it whole. */
export function useFirstSight(
  key: string | undefined,
  positions: Positions,
  part: string | number | undefined,
  flow: Pick<ReactFlowInstance<Drawn>, 'viewportInitialized' | 'setCenter' | 'fitView'>,
): void {
  const first = useRef({ key, positions });
  useEffect(() => {
    // Before the canvas has its size, nothing can be shown in its middle.
    if (!flow.viewportInitialized) return;
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
