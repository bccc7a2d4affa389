import type { ReactFlowInstance } from '@xyflow/react';
import { useCallback, useLayoutEffect, useRef } from 'react';

import type { Point } from './layout';
import { type Drawn, frameId } from './place';

/** How far from the canvas's edges a group opens. */
const MARGIN = 16;

/** Answers how far something has to move along one axis to lie between two edges; what is too long begins at the first. */
export function shiftInto(from: number, to: number, [low, high]: readonly [number, number]): number {
  return Math.max(low - from, Math.min(0, high - to));
}

/** Opens and closes groups in their place: what stands to the right of one moves, what was pressed stays, and all of it comes into sight. */
export function useToggle(toggle: (key: string) => void, nodes: readonly Drawn[], flow: Pick<ReactFlowInstance<Drawn>, 'flowToScreenPosition' | 'getNode' | 'getViewport' | 'setViewport'>): (key: string) => void {
  const held = useRef<{ id: string; at: Point }>(undefined);
  useLayoutEffect(() => {
    const found = nodes.find(({ id }) => id === held.current?.id);
    if (!found || !held.current) return;
    const { at } = held.current;
    held.current = undefined;
    const { x, y, zoom } = flow.getViewport();
    const now = flow.flowToScreenPosition(found.position);
    const canvas = document.getElementById('canvas')?.getBoundingClientRect();
    const [width, height] = [(found.measured?.width ?? 0) * zoom, (found.measured?.height ?? 0) * zoom];
    const [across, down] = canvas
      ? [shiftInto(at.x, at.x + width, [canvas.left + MARGIN, canvas.right - MARGIN]), shiftInto(at.y, at.y + height, [canvas.top + MARGIN, canvas.bottom - MARGIN])]
      : [0, 0];
    void flow.setViewport({ x: x + at.x - now.x + across, y: y + at.y - now.y + down, zoom });
  }, [nodes, flow]);
  return useCallback(
    (key) => {
      const closed = flow.getNode(key);
      const before = closed ?? flow.getNode(frameId(key));
      if (before) held.current = { id: closed ? frameId(key) : key, at: flow.flowToScreenPosition(before.position) };
      toggle(key);
    },
    [toggle, flow],
  );
}
