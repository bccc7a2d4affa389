import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useDiff } from '@/api/queries';
import type { FileComparison } from '@/api/schema';
import { SkeletonLines } from '@/components/ui/bits';
import { Diff } from '@/components/ui/diff';
import { ChevronIcon, RightIcon } from '@/components/ui/icons';
import { ProblemNote } from '@/components/ui/problem';
import { count, plural } from '@/lib/format';

import styles from './publish.module.css';

/** Up to so many files are shown with their changes from the start. */
const OPEN_MAX = 4;

const WORDS: Record<string, string> = { added: 'new', removed: 'removed', mode: 'mode', renamed: 'renamed', edited: '' };

function File({ file, first }: { file: FileComparison; first: boolean }) {
  const [open, setOpen] = useState(first);
  return (
    <li className={styles.file}>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <ChevronIcon size={12} /> : <RightIcon size={12} />}
        <span className="mono clip" title={file.path}>
          {file.moved_from != null && <span className="muted">{file.moved_from} → </span>}
          {file.path}
        </span>
        <span className="muted">{WORDS[file.change]}</span>
        <span className={styles.added}>+{file.added}</span>
        <span className={styles.removed}>−{file.removed}</span>
      </button>
      {open && (file.unified == null ? <p className="muted">Too large, or no text: not shown here.</p> : <Diff path={file.path} unified={file.unified} bare />)}
    </li>
  );
}

/** Shows what a commit would hold, file by file: the difference to the version that was published last. */
export function Changes({ project, from }: { project: string; from: number }) {
  const { data, error, refetch } = useDiff(project, from);
  if (error && !data) return <ProblemNote problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={5} label="Loading the changes" />;
  if (data.files.length === 0) return <p className="muted">No file differs from what is published.</p>;
  const [added, removed] = [data.files.reduce((sum, file) => sum + file.added, 0), data.files.reduce((sum, file) => sum + file.removed, 0)];
  return (
    <section aria-label="What will be committed">
      <p className={styles.total}>
        {plural(data.files.length, 'file')} <span className={styles.added}>+{count(added)}</span> <span className={styles.removed}>−{count(removed)}</span>
      </p>
      <ul className={styles.files} aria-label="Files that will be committed">
        {data.files.map((file) => (
          <File key={file.path} file={file} first={data.files.length <= OPEN_MAX} />
        ))}
      </ul>
    </section>
  );
}
