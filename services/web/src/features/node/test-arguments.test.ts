import { expect, test } from 'vitest';

import { argumentValue, orderedArguments } from './test-arguments';

test('reads the values that are accepted as a list', () => {
  expect(argumentValue('values', 'a, b,')).toEqual(['a', 'b']);
  expect(argumentValue('values', ' ')).toBeUndefined();
});

test('writes what a relationship goes to as a ref', () => {
  expect(argumentValue('to', 'dim_lines')).toBe("ref('dim_lines')");
  expect(argumentValue('to', "source('a', 'b')")).toBe("source('a', 'b')");
});

test('reads numbers and JSON, and takes the rest as words', () => {
  expect(argumentValue('min', '0')).toBe(0);
  expect(argumentValue('where', 'a > 1')).toBe('a > 1');
  expect(argumentValue('list', '[1, 2]')).toEqual([1, 2]);
  expect(argumentValue('list', '[1,')).toBeUndefined();
});

test('asks first for what is needed', () => {
  expect(orderedArguments('relationships', ['quote', 'field', 'to'])).toEqual(['field', 'to', 'quote']);
});
