import { expect, test } from 'vitest';

import { shiftInto } from './use-toggle';

test('moves what opens only as far as it must to be seen', () => {
  expect(shiftInto(100, 200, [0, 300])).toBe(0);
  expect(shiftInto(200, 350, [0, 300])).toBe(-50);
  expect(shiftInto(-20, 80, [0, 300])).toBe(20);
});

test('shows the beginning of what is too long', () => {
  expect(shiftInto(100, 500, [0, 300])).toBe(-100);
});
