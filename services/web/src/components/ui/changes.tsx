import styles from './changes.module.css';

/** Is what an edit does to one file, before it is made. */
export interface FileChange {
  path: string;
  is_removed?: boolean;
  moved_to?: string | null;
  hunks: { line: number; before: string; after: string }[];
}

function lines(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Shows what an edit would write in which file. */
export function Changes({ files, label }: { files: readonly FileChange[]; label: string }) {
  return (
    <ul className={styles.changes} aria-label={label}>
      {files.map((file) => (
        <li key={file.path}>
          <span className="mono">
            {file.path}
            {file.moved_to && ` → ${file.moved_to}`}
            {file.is_removed && <b> is removed</b>}
          </span>
          {file.hunks.map((hunk) => (
            <pre key={hunk.line}>
              {lines(hunk.before).map((line, at) => (
                <div key={`-${at}`} className={styles.old}>
                  {hunk.line + at} − {line}
                </div>
              ))}
              {lines(hunk.after).map((line, at) => (
                <div key={`+${at}`} className={styles.new}>
                  {hunk.line + at} + {line}
                </div>
              ))}
            </pre>
          ))}
        </li>
      ))}
    </ul>
  );
}
