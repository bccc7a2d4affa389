import { useStore, useStoreApi } from '@xyflow/react';
import { type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import { NODE_HEIGHT, NODE_WIDTH } from './layout';
import type { Drawn } from './place';

/** Says which node is pointed at, and which ones a gesture of the pointer needs as nodes of React Flow. */
export interface Pointer {
  hovered: string | undefined;
  held: ReadonlySet<string | undefined>;
  /** What the canvas is told by its own element, and by React Flow. */
  own: { onPointerOver: (event: PointerEvent) => void; onPointerDownCapture: (event: PointerEvent) => void; onPointerLeave: () => void };
  flow: { onMoveStart: () => void; onMoveEnd: () => void };
}

/** Answers the key of the node that an element is of. */
export function keyAt(element: EventTarget | null): string | undefined {
  const node = element instanceof Element ? element.closest<HTMLElement>('[data-key], .react-flow__node')?.dataset : undefined;
  return node?.key ?? node?.id;
}

/** Watches the pointer; what only passes below it while the canvas moves is not pointed at. */
export function usePointer(): Pointer {
  const [hovered, setHovered] = useState<string>();
  const isMoving = useRef(false);
  /** Where its button was pressed: what is dragged, or where a line begins. */
  const [pressed, setPressed] = useState<string>();
  const from = useStore(({ connectionClickStartHandle }) => connectionClickStartHandle?.nodeId);
  const own = useMemo(
    () => ({
      onPointerDownCapture: ({ target }: PointerEvent) => {
        setPressed(keyAt(target));
        const listening = new AbortController();
        const letGo = () => {
          listening.abort();
          setPressed(undefined);
        };
        for (const end of ['pointerup', 'pointercancel']) window.addEventListener(end, letGo, { signal: listening.signal });
      },
      onPointerOver: ({ target, buttons }: PointerEvent) => {
        const key = keyAt(target);
        // What lies below a node that has just become React Flow's is told of the pointer as well; and while the button is
        // pressed, no browser says again what a pointer that rests is over.
        const isOfNoNode = key === 'plain' || (key === undefined && buttons > 0);
        // At once: a press that follows, and its release, are to meet the same element.
        if (!isMoving.current && !isOfNoNode) flushSync(() => setHovered(key));
      },
      onPointerLeave: () => setHovered(undefined),
    }),
    [],
  );
  const flow = useMemo(
    () => ({
      onMoveStart: () => {
        isMoving.current = true;
      },
      onMoveEnd: () => {
        isMoving.current = false;
        setHovered(keyAt([...document.querySelectorAll('#canvas :hover')].at(-1) ?? null));
      },
    }),
    [],
  );
  const held = useMemo(() => new Set([hovered, pressed, from]), [hovered, pressed, from]);
  return { hovered, held, own, flow };
}

/** Picks what lies in the rectangle that is drawn, by the places of the nodes alone: of a large graph few of them are React Flow's. */
export function useRectangle(nodes: readonly Drawn[], pick: (keys: ReadonlySet<string>) => void): void {
  const canvas = useStoreApi();
  const rectangle = useStore(({ userSelectionActive, userSelectionRect }) => (userSelectionActive ? userSelectionRect : null));
  const last = useRef({ nodes, pick });
  useEffect(() => {
    last.current = { nodes, pick };
  });
  useEffect(() => {
    if (!rectangle) return;
    const [dx, dy, zoom] = canvas.getState().transform;
    const [left, top] = [(rectangle.x - dx) / zoom, (rectangle.y - dy) / zoom];
    const [right, bottom] = [left + rectangle.width / zoom, top + rectangle.height / zoom];
    const isInside = ({ position: { x, y } }: Drawn) => x >= left && y >= top && x + NODE_WIDTH <= right && y + NODE_HEIGHT <= bottom;
    last.current.pick(new Set(last.current.nodes.filter(isInside).map(({ id }) => id)));
  }, [canvas, rectangle]);
}
