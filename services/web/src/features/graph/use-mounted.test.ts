import { expect, test } from 'vitest';

import { inSight, nextMounted } from './use-mounted';

const at = (id: string, x: number, y: number) => ({ id, position: { x, y } });

test('what is in sight or next to it is drawn, the middle first', () => {
  const nodes = [at('edge', 700, 0), at('middle', 400, 100), at('beside', 1100, 0), at('away', 2000, 0), at('above', 400, -900)];
  expect(inSight(nodes, [0, 0, 4, 1])).toEqual(['middle', 'edge', 'beside']);
});

test('nodes come and go a few at a time until all are there', () => {
  const wanted = Array.from({ length: 30 }, (_, number) => `new ${number}`);
  let mounted: ReadonlySet<string> = new Set(['old']);
  mounted = nextMounted(mounted, wanted);
  expect(mounted.has('old')).toBe(false);
  expect(mounted.size).toBeLessThan(wanted.length);
  for (let step = 0; step < wanted.length; step += 1) mounted = nextMounted(mounted, wanted);
  expect([...mounted]).toEqual(wanted);
  expect(nextMounted(mounted, wanted)).toBe(mounted);
});
