import { expect, test } from 'vitest';

import { argumentsOf } from './add-test';

const EMPTY = { values: '', to: '', field: '', name: '', json: '' };

test('writes the values that are accepted as a list', () => {
  expect(argumentsOf('accepted_values', { ...EMPTY, values: 'a, b,' })).toEqual({ values: ['a', 'b'] });
  expect(argumentsOf('accepted_values', EMPTY)).toBeNull();
});

test('writes what a relationship goes to as a ref', () => {
  expect(argumentsOf('relationships', { ...EMPTY, to: 'dim_lines', field: 'code' })).toEqual({ to: "ref('dim_lines')", field: 'code' });
});

test('takes only an object as the arguments of another test', () => {
  expect(argumentsOf('another', { ...EMPTY, json: '{"min": 0}' })).toEqual({ min: 0 });
  expect(argumentsOf('another', { ...EMPTY, json: '[1]' })).toBeNull();
  expect(argumentsOf('another', EMPTY)).toEqual({});
});
