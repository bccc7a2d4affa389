import type { ReactNode } from 'react';

import { asProblem } from '@/api/client';
import type { useHistory } from '@/api/queries';
import type { HistoryEvent } from '@/api/schema';
import { Ago, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank } from '@/components/ui/problem';
import { actorName } from '@/lib/actor';
import { fileName, plural } from '@/lib/format';

import styles from './history.module.css';
import { type Line, lineActor, lineWords, linesOf } from './lines';

function filesWords({ files }: HistoryEvent): string {
  const [first] = files;
  if (!first) return '';
  if (files.length > 1) return plural(files.length, 'file');
  return `${fileName(first.moved_to ?? first.path)} +${first.added} −${first.removed}`;
}

type RowProps = { line: Line; kind: ReactNode; run?: number | undefined; note?: ReactNode; onClick: () => void; 'aria-pressed'?: boolean; 'aria-expanded'?: boolean };

/** Shows one line of a history: who did what, when, and to which files. */
export function EventRow({ line, kind, run, note, ...button }: RowProps) {
  const { event } = line;
  const words = lineWords(line, run);
  return (
    <button type="button" className={styles.event} {...button}>
      <span className={styles.kind} aria-hidden="true">
        {kind}
      </span>
      <span className="clip" title={words}>
        {words} {note}
      </span>
      <small>
        <Ago at={event.occurred_at} />
      </small>
      <small>
        {actorName(lineActor(line))}
        {event.category === 'branch' && ` · version ${event.stream_version}`}
      </small>
      <small className="mono">{filesWords(event)}</small>
    </button>
  );
}

type Pages = ReturnType<typeof useHistory>;

/** Draws the events of a history that is read page by page. */
export function EventPages({ pages, empty, children }: { pages: Pages; empty: string; children: (line: Line) => ReactNode }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = pages;
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={8} label="Loading the history" />;
  const events = data.pages.flatMap((page) => page.events);
  if (events.length === 0) return <p className={`${styles.more ?? ''} muted`}>{empty}</p>;
  return (
    <>
      <ul>
        {linesOf(events).map((line) => (
          <li key={line.event.event_id}>{children(line)}</li>
        ))}
      </ul>
      {hasNextPage && (
        <div className={styles.more}>
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
    </>
  );
}
