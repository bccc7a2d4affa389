import type { useHistory } from '@/api/queries';
import { asProblem } from '@/api/client';
import type { HistoryEvent } from '@/api/schema';
import { Ago, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank } from '@/components/ui/problem';
import { actorName } from '@/lib/actor';
import { fileName, plural } from '@/lib/format';

import styles from './history.module.css';

function filesWords({ files }: HistoryEvent): string {
  const [first] = files;
  if (!first) return '';
  if (files.length > 1) return plural(files.length, 'file');
  return `${fileName(first.moved_to ?? first.path)} +${first.added} −${first.removed}`;
}

/** Shows one event in a line: who did what, when, and to which files. */
export function EventRow({ event, ...button }: { event: HistoryEvent; onClick: () => void; 'aria-pressed'?: boolean; 'aria-expanded'?: boolean }) {
  return (
    <button type="button" className={styles.event} {...button}>
      <span className="clip" title={event.summary}>
        {event.summary}
      </span>
      <small>
        <Ago at={event.occurred_at} />
      </small>
      <small>
        {actorName(event.actor)}
        {event.category === 'branch' && ` · version ${event.stream_version}`}
      </small>
      <small className="mono">{filesWords(event)}</small>
    </button>
  );
}

type Pages = ReturnType<typeof useHistory>;

/** Draws the events of a history that is read page by page. */
export function EventPages({ pages, empty, children }: { pages: Pages; empty: string; children: (event: HistoryEvent) => React.ReactNode }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = pages;
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={8} label="Loading the history" />;
  const events = data.pages.flatMap((page) => page.events);
  if (events.length === 0) return <p className={`${styles.more ?? ''} muted`}>{empty}</p>;
  return (
    <>
      <ul>
        {events.map((event) => (
          <li key={event.event_id}>{children(event)}</li>
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
