import type { ReactFlowInstance } from '@xyflow/react';
import { useEffect } from 'react';

import { NODE_HEIGHT, NODE_WIDTH } from './layout';

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
