import type { Viewport } from '@xyflow/react';
import { useRef } from 'react';

/** Below this zoom what is drawn once for a move of the canvas would be far more than what is seen. */
const CLOSE = 0.4;

function mark(isPanning: boolean): void {
  document.getElementById('canvas')?.toggleAttribute('data-panning', isPanning);
}

/** Answers what marks the canvas while it moves without changing its zoom: what is drawn is then moved, not drawn anew. */
export function usePanning() {
  const before = useRef(0);
  const onMoveStart = (_: unknown, { zoom }: Viewport) => {
    before.current = zoom;
  };
  const onMove = (_: unknown, { zoom }: Viewport) => mark(zoom >= CLOSE && zoom === before.current);
  return { onMoveStart, onMove, onMoveEnd: () => mark(false) };
}
