import { Suspense, lazy } from 'react';

import { SkeletonLines } from '@/components/ui/bits';

import type { EditorProps, Language } from './editor';

const Editor = lazy(() => import('./editor'));

/** Answers how a file is highlighted. */
export function languageOf(path: string): Language {
  if (/\.sql$/i.test(path)) return 'sql';
  return /\.ya?ml$/i.test(path) ? 'yaml' : 'text';
}

/** Is the editor, loaded when one is needed. */
export function LazyEditor(props: EditorProps) {
  return (
    <Suspense fallback={<SkeletonLines lines={8} label="Loading the editor" />}>
      <Editor {...props} />
    </Suspense>
  );
}
