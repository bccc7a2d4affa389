import { useHistory } from '@/api/queries';
import { Blank } from '@/components/ui/bits';

import { EventDetail } from './event-detail';
import { EventPages, EventRow } from './event-list';
import styles from './history.module.css';

type Props = { project: string; selected: string | undefined; onSelect: (event: string) => void };

/** Shows everything that was done in a project, newest first, and what each event changed. */
export function ProjectHistory({ project, selected, onSelect }: Props) {
  return (
    <div className={styles.page}>
      <h1 className="only-heard">History</h1>
      <section className={styles.list} aria-label="Events">
        <EventPages pages={useHistory(project)} empty="Nothing was done yet.">
          {(event) => <EventRow event={event} aria-pressed={event.event_id === selected} onClick={() => onSelect(event.event_id)} />}
        </EventPages>
      </section>
      <section className={styles.detail} aria-label="Event">
        {selected === undefined ? (
          <Blank title="Every edit is here">Choose one to see what it changed.</Blank>
        ) : (
          <EventDetail project={project} id={selected} />
        )}
      </section>
    </div>
  );
}
