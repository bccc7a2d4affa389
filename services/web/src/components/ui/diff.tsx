import { classes } from '@/lib/class-names';

import styles from './diff.module.css';

function kind(line: string): string | undefined {
  if (line.startsWith('+')) return styles.added;
  if (line.startsWith('-')) return styles.removed;
  return line.startsWith('@@') ? styles.hunk : undefined;
}

/** Shows the change of one file: what a unified diff says, without its header. */
export function Diff({ path, unified, bare = false }: { path: string; unified: string; bare?: boolean }) {
  const lines = unified.split('\n').filter((line) => !/^(---|\+\+\+) /.test(line));
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) {
    return (
      <div className={bare ? undefined : styles.file}>
        {!bare && <div className={styles.name}>{path}</div>}
        <p className={styles.line}>Moved here; its text is the same.</p>
      </div>
    );
  }
  return (
    <div className={bare ? undefined : styles.file}>
      {!bare && <div className={styles.name}>{path}</div>}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <pre className={styles.diff} tabIndex={0} aria-label={`Changes of ${path}`}>
        {lines.map((line, at) => (
          <span key={at} className={classes(styles.line, kind(line))}>
            {line === '' ? ' ' : line}
          </span>
        ))}
      </pre>
    </div>
  );
}
