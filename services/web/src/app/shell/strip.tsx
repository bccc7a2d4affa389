import { Link, useParams } from '@tanstack/react-router';
import { useEffect } from 'react';

import { useRun } from '@/api/queries';
import { Glyph } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { CloseIcon } from '@/components/ui/icons';
import { classes } from '@/lib/class-names';
import { fileName, plural } from '@/lib/format';
import { runStatus } from '@/lib/status';
import { useStore } from '@/lib/store';
import { type Said, type Wrote, strip } from '@/lib/strip';

import styles from './shell.module.css';

/** How long the strip stays; what was refused stays until it is closed. */
const STAYS_MS = 12_000;
/** How many files are named; the rest is counted. */
const NAMED = 3;

function Files({ files }: Pick<Wrote, 'files'>) {
  return (
    <span className={styles.files}>
      {files.slice(0, NAMED).map((file) => (
        <span key={file.path}>
          <span className="mono muted">{fileName(file.moved_to ?? file.path)}</span>{' '}
          <span className={styles.added}>+{file.added}</span> <span className={styles.removed}>−{file.removed}</span>
        </span>
      ))}
      {files.length > NAMED && <span className="muted">and {plural(files.length - NAMED, 'more file')}</span>}
    </span>
  );
}

/** Says how a run stands that was started here. */
function Started({ said: { runId, number }, project }: { said: Extract<Said, { kind: 'started' }>; project: string | undefined }) {
  const { data: run } = useRun(project ?? '', project === undefined ? undefined : runId);
  const { tone, glyph, word } = run?.state === 'finished' ? runStatus(run) : ({ tone: 'run', glyph: '◐', word: 'started' } as const);
  return (
    <>
      <Glyph tone={tone} glyph={glyph} />
      <span>
        Run {number ?? ''} {word}
      </span>
      {project !== undefined && (
        <Link to="/projects/$project/runs/$run" params={{ project, run: runId }} onClick={() => strip.set(null)}>
          View
        </Link>
      )}
    </>
  );
}

function Content({ said, project }: { said: Said; project: string | undefined }) {
  switch (said.kind) {
    case 'wrote':
      return (
        <>
          <Glyph tone="ok" glyph="✓" />
          <span className={classes(styles.summary, 'clip')} title={said.wrote.summary}>
            {said.wrote.summary}
          </span>
          <Files files={said.wrote.files} />
          {said.wrote.eventId !== null && project !== undefined && (
            <Link to="/projects/$project/history" params={{ project }} search={{ event: said.wrote.eventId }} onClick={() => strip.set(null)}>
              View
            </Link>
          )}
        </>
      );
    case 'started':
      return <Started said={said} project={project} />;
    case 'refused':
      return (
        <>
          <Glyph tone="bad" glyph="✗" />
          <span>{said.detail}</span>
          <span className="mono muted">{said.code}</span>
        </>
      );
  }
}

/** Says in one line what the last gesture wrote, started, or why it was refused. */
export function Strip() {
  const said = useStore(strip);
  const { project } = useParams({ strict: false });
  useEffect(() => {
    if (!said || said.kind === 'refused') return;
    const timer = setTimeout(() => strip.set(null), STAYS_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div role="status" aria-live="polite">
      {said && (
        <div key={said.at} className={styles.strip} data-testid="strip">
          <Content said={said} project={project} />
          <Button look="icon" aria-label="Close" onClick={() => strip.set(null)}>
            <CloseIcon size={14} />
          </Button>
        </div>
      )}
    </div>
  );
}
