import { type DragEvent, useRef, useState } from 'react';

import { asProblem } from '@/api/client';
import { type Archive, useCreateProject, useImport } from '@/api/mutations';
import type { ImportReport as Report, Problem } from '@/api/schema';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';

import { ofChosen, ofDrop } from './archive';
import { ImportReport } from './import-report';
import styles from './projects.module.css';

/** Lets the user say which of an archive's dbt projects is meant. */
function ChooseRoot({ roots, onChoose, onClose }: { roots: string[]; onChoose: (root: string) => void; onClose: () => void }) {
  return (
    <Dialog open onOpenChange={onClose} title="Which project?">
      <p>There are several dbt projects in it. The one you choose is shown; all files are taken.</p>
      <ul className={styles.section}>
        {roots.map((root) => (
          <li key={root}>
            <Button onClick={() => onChoose(root)} style={{ width: '100%', justifyContent: 'flex-start' }}>
              <span className="mono">{root === '' ? 'the top folder' : root}</span>
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function rootsOf(problem: Problem): string[] {
  return problem.code === 'IMPORT_ROOT' && Array.isArray(problem.roots) ? problem.roots.map(String) : [];
}

type Refused = { problem: Problem; archive: Archive | null };

function useImporting() {
  const importing = useImport();
  const creating = useCreateProject();
  const [reading, setReading] = useState(false);
  const [refused, setRefused] = useState<Refused | null>(null);
  const [report, setReport] = useState<{ report: Report; programs: string[] } | null>(null);
  const send = (archive: Archive) => {
    setRefused(null);
    importing.mutate(archive, {
      onSuccess: (taken) => setReport({ report: taken, programs: archive.programs ?? [] }),
      onError: (error) => setRefused({ problem: asProblem(error), archive }),
    });
  };
  const read = async (archive: Promise<Archive>) => {
    setRefused(null);
    setReading(true);
    try {
      send(await archive);
    } catch (error) {
      const detail = `it could not be read: ${error instanceof Error ? error.message : String(error)}`;
      setRefused({ problem: { ...asProblem(error), code: 'IMPORT_READ', detail }, archive: null });
    } finally {
      setReading(false);
    }
  };
  const sample = () =>
    creating.mutate(
      { name: 'night_trains', template: 'sample' },
      { onSuccess: (taken) => setReport({ report: taken, programs: [] }), onError: (error) => setRefused({ problem: asProblem(error), archive: null }) },
    );
  const busy = reading || importing.isPending || creating.isPending;
  return { busy, reading, refused, report, send, read, sample, forget: () => setRefused(null), close: () => setReport(null) };
}

/** Takes a dbt project: a folder or an archive that is dropped or chosen, or the sample, which is where a newcomer begins. */
export function ImportZone({ isFirst }: { isFirst: boolean }) {
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { busy, reading, refused, report, send, read, sample, forget, close } = useImporting();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(ofDrop(event.dataTransfer.items));
  };
  const drag = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  const chosen = (input: HTMLInputElement) => {
    if (input.files && input.files.length > 0) void read(ofChosen(input.files)).then(() => (input.value = ''));
  };
  const roots = refused ? rootsOf(refused.problem) : [];
  return (
    <section
      id="import"
      aria-label="Import a dbt project"
      className={styles.drop}
      data-over={over || undefined}
      onDragOver={drag}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {isFirst && <p className={styles.about}>DVT+ shows a dbt project as a graph, lets you edit it here, runs it on your database, and publishes it to Git.</p>}
      <h2 aria-live="polite">{busy ? (reading ? 'Reading the files…' : 'Importing…') : over ? 'Let go to import' : 'Drop a dbt project here'}</h2>
      <p>
        A folder, a .zip or a .tar.gz. Nothing is changed; what is left out is listed. Or on the command line:{' '}
        <span className="mono" style={{ color: 'var(--text)' }}>
          dvt import .
        </span>
      </p>
      <div className={styles.buttons}>
        <Button busy={busy} onClick={() => folder.current?.click()}>
          Choose a folder
        </Button>
        <Button busy={busy} onClick={() => files.current?.click()}>
          Choose a file
        </Button>
        <Button look={isFirst ? 'primary' : 'plain'} busy={busy} onClick={sample}>
          Open the sample
        </Button>
      </div>
      <input ref={files} type="file" accept=".zip,.tgz,.gz" hidden aria-label="Archive to import" onChange={(event) => chosen(event.target)} />
      <input ref={folder} type="file" hidden aria-label="Folder to import" {...{ webkitdirectory: '' }} onChange={(event) => chosen(event.target)} />
      {refused && roots.length === 0 && (
        <div style={{ marginTop: 16, textAlign: 'left' }}>
          <ProblemNote problem={refused.problem} />
        </div>
      )}
      {refused?.archive && roots.length > 0 && (
        <ChooseRoot roots={roots} onClose={forget} onChoose={(root) => refused.archive && send({ ...refused.archive, root })} />
      )}
      {report && <ImportReport {...report} onClose={close} />}
    </section>
  );
}
