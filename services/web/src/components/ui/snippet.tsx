import { classes } from '@/lib/class-names';

import styles from './snippet.module.css';

/** How many lines stand above and below the one that is meant. */
const AROUND = 4;

function Marked({ text, column }: { text: string; column: number }) {
  const before = text.slice(0, column - 1);
  const word = /^[\w.]+|^./.exec(text.slice(column - 1))?.[0] ?? '';
  return (
    <span>
      {before}
      <u>{word}</u>
      {text.slice(before.length + word.length)}
    </span>
  );
}

type Props = { text: string; line: number; column: number; label: string };

/** Shows a line of a file among its neighbours, with the place that is meant underlined. */
export function Snippet({ text, line, column, label }: Props) {
  const lines = text.split(/\r?\n/);
  const first = Math.max(1, line - AROUND);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <pre className={styles.snippet} tabIndex={0} aria-label={label}>
      {lines.slice(first - 1, line + AROUND).map((content, at) => {
        const number = first + at;
        return (
          <span key={number} className={classes(styles.line, number === line && styles.marked)} data-marked={number === line || undefined}>
            <span className={styles.number}>{number}</span>
            {number === line ? <Marked text={content} column={column} /> : <span>{content || ' '}</span>}
          </span>
        );
      })}
    </pre>
  );
}
