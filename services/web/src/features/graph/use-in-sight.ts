import { type ReactFlowInstance, type Viewport, useStore } from '@xyflow/react';
import { useCallback, useEffect, useRef } from 'react';

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

type Flow = Pick<ReactFlowInstance<Drawn>, 'viewportInitialized' | 'setCenter' | 'fitView' | 'getViewport'>;

/** Answers what fits the graph into the canvas; it is fitted again when the canvas grows, unless somebody moved it meanwhile. */
function useFit(flow: Flow): () => void {
  const [width, height] = [useStore((canvas) => canvas.width), useStore((canvas) => canvas.height)];
  const size = useRef({ width, height });
  const fitted = useRef<Viewport>(undefined);
  const fit = useCallback(() => void flow.fitView(FIT).then(() => (fitted.current = flow.getViewport())), [flow]);
  useEffect(() => {
    const grew = width > size.current.width || height > size.current.height;
    size.current = { width, height };
    const now = flow.getViewport();
    const isFitted = now.x === fitted.current?.x && now.y === fitted.current.y && now.zoom === fitted.current.zoom;
    if (grew && isFitted) fit();
  }, [flow, fit, width, height]);
  return fit;
}

/**
 * Shows the whole graph at first, or the node that the address names, large enough to read; another part of it whole.
 * Answers what shows the whole graph again.
 */
export function useFirstSight(key: string | undefined, positions: Positions, part: string | number | undefined, flow: Flow): () => void {
  const first = useRef({ key, positions });
  const fit = useFit(flow);
  useEffect(() => {
    // Before the canvas has its size, nothing can be shown in its middle.
    if (!flow.viewportInitialized) return;
    const { key: at, positions: known } = first.current;
    const point = at === undefined ? undefined : known.get(at);
    const frame = requestAnimationFrame(() => {
      // Later the whole graph is shown: after a part of it.
      first.current = { key: undefined, positions: known };
      if (point) void flow.setCenter(point.x + NODE_WIDTH / 2, point.y + NODE_HEIGHT / 2, { zoom: READABLE });
      else fit();
    });
    return () => cancelAnimationFrame(frame);
  }, [flow, fit, part]);
  return fit;
}
