import { type ReactFlowState, useStore } from '@xyflow/react';
import type { CSSProperties } from 'react';

import { FAR } from './dust';

/** Below this zoom a node shows its name alone, large. */
const MIDDLE = 0.52;
/** How many times each zoom that folders' names follow is the one before: a change restyles all that is drawn. */
const STEP = Math.SQRT2;

const stepOf = (zoom: number) => STEP ** Math.round(Math.log(zoom) / Math.log(STEP));

/** Says from how far the canvas is seen: whether that is too far for words, and what its styles are to know of it. */
export function useZoomLevel(isLarge: boolean): { isFar: boolean; seen: { 'data-zoom': 'far' | 'middle' | undefined; style: CSSProperties } } {
  const isFar = useStore(({ transform }: ReactFlowState) => isLarge && transform[2] < FAR);
  const step = useStore(({ transform }: ReactFlowState) => (transform[2] < MIDDLE ? stepOf(transform[2]) : undefined));
  const level = isFar ? 'far' : step === undefined ? undefined : 'middle';
  return { isFar, seen: { 'data-zoom': level, style: { ['--zoom' as string]: step } } };
}
