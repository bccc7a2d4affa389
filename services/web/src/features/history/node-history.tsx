import { useState } from 'react';

import { useNodeHistory } from '@/api/queries';
import { PenIcon } from '@/components/ui/icons';

import { EventDiff } from './event-detail';
import { EventPages, EventRow } from './event-list';
import styles from './history.module.css';

/** Shows what was done to a node, through all its renames: who, when, what, and the changes. */
export function NodeHistory({ project, id }: { project: string; id: string }) {
  const [open, setOpen] = useState<string>();
  return (
    <EventPages pages={useNodeHistory(project, id)} empty="Nothing was done to this node since it was imported.">
      {(line) => {
        const { event } = line;
        const isOpen = event.event_id === open;
        return (
          <>
            <EventRow line={line} kind={<PenIcon size={13} />} aria-expanded={isOpen} onClick={() => setOpen(isOpen ? undefined : event.event_id)} />
            {isOpen && (
              <div className={styles.inside}>
                <EventDiff project={project} id={event.event_id} />
              </div>
            )}
          </>
        );
      }}
    </EventPages>
  );
}
