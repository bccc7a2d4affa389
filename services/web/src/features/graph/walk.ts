import type { Positions } from './layout';
import { NODE_WIDTH } from './layout';
import type { GraphModel } from './model';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Answers the node beside one, as an arrow key means it: along its edges sideways, within its column up and down. */
export function walk(model: GraphModel, positions: Positions, from: string, direction: Direction): string | undefined {
  const here = positions.get(from);
  if (!here) return undefined;
  const nearest = (keys: Iterable<string>, counts: (dx: number, dy: number) => boolean) => {
    let best: { key: string; distance: number } | undefined;
    for (const key of keys) {
      const there = positions.get(key);
      if (!there || key === from) continue;
      const [dx, dy] = [there.x - here.x, there.y - here.y];
      const distance = Math.abs(dy) + Math.abs(dx) / 4;
      if (counts(dx, dy) && (!best || distance < best.distance)) best = { key, distance };
    }
    return best?.key;
  };
  switch (direction) {
    case 'left':
      return nearest(model.parents.get(from) ?? [], () => true);
    case 'right':
      return nearest(model.children.get(from) ?? [], () => true);
    case 'up':
      return nearest(positions.keys(), (dx, dy) => dy < 0 && Math.abs(dx) < NODE_WIDTH / 2);
    case 'down':
      return nearest(positions.keys(), (dx, dy) => dy > 0 && Math.abs(dx) < NODE_WIDTH / 2);
  }
}
