import { act, renderHook } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { useDraftPaths } from './drafts';
import { useEditing } from './use-editing';

const FILE = { path: 'models/a.sql', text: 'select 1', version: 3 };

test('keeps what was typed over a reload, with the version it was made on', () => {
  const first = renderHook(() => useEditing('p', FILE));
  act(() => first.result.current.change('select 2'));
  first.unmount();
  const second = renderHook(() => useEditing('p', { ...FILE, version: 5 }));
  expect(second.result.current).toMatchObject({ text: 'select 2', isDirty: true, base: 3 });
});

test('has no draft of a text that is as it was', () => {
  const { result } = renderHook(() => ({ editing: useEditing('p', FILE), drafts: useDraftPaths('p') }));
  act(() => result.current.editing.change('select 2'));
  expect(result.current.drafts).toEqual(['models/a.sql']);
  act(() => result.current.editing.change('select 1'));
  expect(result.current.drafts).toEqual([]);
  expect(result.current.editing.isDirty).toBe(false);
});

test('drops the draft once it is saved', () => {
  const { result } = renderHook(() => useEditing('p', FILE));
  act(() => result.current.change('select 2'));
  act(() => result.current.saved('select 2', 4));
  expect(result.current.isDirty).toBe(false);
});

test('drops the draft of an editor that was closed while it was saved', () => {
  const { result, unmount } = renderHook(() => useEditing('p', FILE));
  act(() => result.current.change('select 2'));
  const { saved } = result.current;
  unmount();
  saved('select 2', 4);
  const again = renderHook(() => useEditing('p', { ...FILE, text: 'select 2', version: 4 }));
  act(() => again.result.current.change('select 3'));
  expect(again.result.current.base).toBe(4);
});

test('begins anew on what was saved just before the page was left', () => {
  const first = renderHook(() => useEditing('p', FILE));
  act(() => first.result.current.change('select 2'));
  first.unmount();
  const again = renderHook(() => useEditing('p', { ...FILE, text: 'select 2', version: 4 }));
  expect(again.result.current.isDirty).toBe(false);
  expect(renderHook(() => useDraftPaths('p')).result.current).toEqual([]);
  act(() => again.result.current.change('select 3'));
  expect(again.result.current.base).toBe(4);
});

test('keeps what was typed where the browser keeps nothing', () => {
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  const { result } = renderHook(() => useEditing('p', FILE));
  act(() => result.current.change('select 2'));
  expect(result.current.text).toBe('select 2');
  act(() => result.current.discard());
  expect(result.current.text).toBe('select 1');
  vi.restoreAllMocks();
});

test('keeps what was typed on while it was saved', () => {
  const { result } = renderHook(() => useEditing('p', FILE));
  act(() => result.current.change('select 2'));
  const { saved } = result.current;
  act(() => result.current.change('select 23'));
  act(() => saved('select 2', 4));
  expect(result.current).toMatchObject({ text: 'select 23', base: 4 });
});

test('knows the draft of each file by itself', () => {
  const { result, rerender } = renderHook(({ path }) => useEditing('p', { ...FILE, path }), { initialProps: { path: 'a.sql' } });
  act(() => result.current.change('select 2'));
  rerender({ path: 'b.sql' });
  expect(result.current.text).toBe('select 1');
});
