import { Blank, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemNote } from '@/components/ui/problem';
import { duration, plural } from '@/lib/format';

import styles from './node.module.css';
import rowStyles from './rows.module.css';
import { RowsGrid } from './rows-grid';
import type { Asking, Rows } from './use-rows';

/** What Postgres says where a relation is not there. */
const UNDEFINED_TABLE = '42P01';

/** What is said in place of rows. */
export interface Words {
  title: string;
  /** Before anybody asked. */
  none: string;
  /** Where there are none. */
  empty: string;
}

const OF_A_NODE: Words = { title: 'Preview', none: 'The first 500 rows, read-only, as the SQL is in the editor.', empty: 'No rows' };
/** The rows that a test finds. */
export const OF_A_TEST: Words = { title: 'Failing rows', none: 'The first 500 rows that the test finds.', empty: 'No rows: nothing fails.' };

function Content({ rows, words, onBuild }: { rows: Rows; words: Words; onBuild: (() => void) | undefined }) {
  switch (rows.state) {
    case 'none':
      return <Blank title="No rows yet">{words.none}</Blank>;
    case 'pending':
      return <SkeletonLines lines={5} label="Running the preview" />;
    case 'done':
      return rows.rows.columns.length === 0 ? <Blank title={words.empty} /> : <RowsGrid {...rows.rows} empty={words.empty} />;
    case 'refused':
      return (
        <div className={styles.note}>
          <ProblemNote problem={rows.problem} />
        </div>
      );
    case 'failed':
      return (
        <div className={styles.note}>
          <ProblemNote problem={{ code: rows.sqlstate ? `SQLSTATE ${rows.sqlstate}` : rows.code, trace_id: '', detail: rows.place ? `${rows.place.path}:${rows.place.line}:${rows.place.column} ${rows.message}` : rows.message }} />
          {rows.sqlstate === UNDEFINED_TABLE && onBuild && (
            <p className={rowStyles.hint}>
              What it reads is not in the target yet.{' '}
              <Button onClick={onBuild}>Run it with all upstream</Button>
            </p>
          )}
        </div>
      );
  }
}

function heading({ rows, cte }: Asking, { title }: Words): string {
  const of = cte === undefined ? title : `${title} of ${cte}`;
  if (rows.state === 'pending') return `${of} · running…`;
  if (rows.state !== 'done') return of;
  const { rows: list, truncated, ms } = rows.rows;
  return `${of} · ${truncated ? 'first ' : ''}${plural(list.length, 'row')} · ${duration(ms)}`;
}

/** Shows the first rows of a node, or those that a test finds. */
export function Preview({ asking, words = OF_A_NODE, onAsk, onBuild }: { asking: Asking; words?: Words; onAsk: () => void; onBuild?: () => void }) {
  return (
    <div className={styles.fill}>
      <div className={styles.bar} style={{ borderTop: 0 }}>
        <span role="status">{heading(asking, words)}</span>
        <span data-gap />
        <Button look="quiet" busy={asking.rows.state === 'pending'} onClick={onAsk}>
          {asking.rows.state === 'none' ? 'Show rows' : 'Run again'} <kbd>Ctrl ⏎</kbd>
        </Button>
      </div>
      <Content rows={asking.rows} words={words} onBuild={onBuild} />
    </div>
  );
}
