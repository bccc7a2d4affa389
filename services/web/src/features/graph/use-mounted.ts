import { useStore } from '@xyflow/react';
import { useEffect, useMemo, useState } from 'react';

import { NODE_HEIGHT, NODE_WIDTH, type Point } from './layout';

/** The size of the cells by which it is known what is in sight, in the canvas's pixels: a move within one changes nothing. */
const CELL = 256;
/** How many nodes come, or go, within one frame: so many that it still ends in time. */
const AT_ONCE = { come: 12, go: 24 };

const NOTHING: ReadonlySet<string> = new Set();

interface Placed {
  id: string;
  position: Point;
}

/** Lists what is in the cells that are in sight and in those next to them, what is next to the middle first. `sight` is in cells. */
export function inSight(nodes: readonly Placed[], [left, top, right, bottom]: readonly [number, number, number, number]): string[] {
  const middle = { x: ((left + right) / 2) * CELL, y: ((top + bottom) / 2) * CELL };
  const away = ({ position: { x, y } }: Placed) => Math.hypot(x + NODE_WIDTH / 2 - middle.x, y + NODE_HEIGHT / 2 - middle.y);
  const isNear = ({ position: { x, y } }: Placed) =>
    x + NODE_WIDTH >= (left - 1) * CELL && x <= (right + 1) * CELL && y + NODE_HEIGHT >= (top - 1) * CELL && y <= (bottom + 1) * CELL;
  return nodes.filter(isNear).sort((a, b) => away(a) - away(b)).map(({ id }) => id);
}

/** Takes one step from what is mounted to what is wanted; the same set where nothing is left to do. */
export function nextMounted(mounted: ReadonlySet<string>, wanted: readonly string[]): ReadonlySet<string> {
  const kept = new Set(wanted);
  const coming = wanted.filter((id) => !mounted.has(id)).slice(0, AT_ONCE.come);
  const going = [...mounted].filter((id) => !kept.has(id)).slice(0, AT_ONCE.go);
  if (coming.length === 0 && going.length === 0) return mounted;
  const next = new Set([...mounted, ...coming]);
  for (const id of going) next.delete(id);
  return next;
}

/** Answers which nodes of a large graph are drawn by themselves: what is in sight, a few more with every frame. */
export function useMounted(nodes: readonly Placed[], isNear: boolean): ReadonlySet<string> {
  const sight = useStore(({ transform: [x, y, zoom], width, height }) =>
    isNear ? [Math.floor(-x / zoom / CELL), Math.floor(-y / zoom / CELL), Math.ceil((width - x) / zoom / CELL), Math.ceil((height - y) / zoom / CELL)].join(' ') : '',
  );
  const wanted = useMemo(() => {
    const [left, top, right, bottom] = sight === '' ? [] : sight.split(' ').map(Number);
    return left === undefined || top === undefined || right === undefined || bottom === undefined ? [] : inSight(nodes, [left, top, right, bottom]);
  }, [nodes, sight]);
  const [mounted, setMounted] = useState(NOTHING);
  useEffect(() => {
    const next = nextMounted(mounted, wanted);
    if (next === mounted) return;
    const frame = requestAnimationFrame(() => setMounted(next));
    return () => cancelAnimationFrame(frame);
  }, [mounted, wanted]);
  return mounted;
}
