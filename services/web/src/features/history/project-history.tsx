import { type ReactNode, useState } from 'react';

import { type HistoryKind, useHistory, useRuns } from '@/api/queries';
import type { RunSummary } from '@/api/schema';
import { Blank, Pill } from '@/components/ui/bits';
import { GraphIcon, PenIcon, PublishIcon, RunsIcon, SettingsIcon } from '@/components/ui/icons';
import { type Tab, Tabs } from '@/components/ui/tabs';
import { runStatus } from '@/lib/status';

import { EventDetail } from './event-detail';
import { EventPages, EventRow } from './event-list';
import styles from './history.module.css';

const KINDS: readonly Tab<HistoryKind>[] = [
  { id: 'all', label: 'All' },
  { id: 'branch', label: 'Edits' },
  { id: 'run', label: 'Runs' },
  { id: 'compilation', label: 'Publications' },
];
const EMPTY: Record<HistoryKind, string> = {
  all: 'Nothing was done yet.',
  branch: 'Nothing was edited yet.',
  run: 'Nothing has run yet.',
  compilation: 'Nothing was published yet.',
};
const ICONS: Record<string, ReactNode> = {
  branch: <PenIcon size={13} />,
  run: <RunsIcon size={13} />,
  compilation: <PublishIcon size={13} />,
  layout: <GraphIcon size={13} />,
  project: <SettingsIcon size={13} />,
};

function RunNote({ run }: { run: RunSummary | undefined }) {
  if (!run) return null;
  const status = runStatus(run);
  return (
    <Pill tone={status.tone} glyph={status.glyph}>
      {status.word}
    </Pill>
  );
}

type Props = { project: string; selected: string | undefined; onSelect: (event: string) => void };

/** Shows what was done in a project, newest first, and what each edit changed; a run is one line. */
export function ProjectHistory({ project, selected, onSelect }: Props) {
  const [kind, setKind] = useState<HistoryKind>('all');
  const { data: runs } = useRuns(project);
  const pages = useHistory(project, kind);
  // Until one is chosen, the last edit is shown.
  const events = pages.data?.pages.flatMap((page) => page.events);
  const shown = selected ?? events?.find(({ category }) => category === 'branch')?.event_id;
  return (
    <div className={styles.page}>
      <h1 className="only-heard">History</h1>
      <section className={styles.list} aria-label="Events">
        <Tabs tabs={KINDS} value={kind} onChange={setKind} label="What to show">
          <EventPages pages={pages} empty={EMPTY[kind]}>
            {(line) => {
              const { event } = line;
              const run = event.category === 'run' ? runs?.runs.find((found) => found.run_id === event.stream_id) : undefined;
              return (
                <EventRow
                  line={line}
                  kind={ICONS[event.category]}
                  run={run?.number}
                  note={<RunNote run={run} />}
                  aria-pressed={event.event_id === shown}
                  onClick={() => onSelect(event.event_id)}
                />
              );
            }}
          </EventPages>
        </Tabs>
      </section>
      <section className={styles.detail} aria-label="Event">
        {shown === undefined ? <Blank title="Every edit is here">Choose one to see what it changed.</Blank> : <EventDetail key={shown} project={project} id={shown} />}
      </section>
    </div>
  );
}
