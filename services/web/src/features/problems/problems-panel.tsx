import { asProblem } from '@/api/client';
import { useDiagnostics } from '@/api/queries';
import type { Diagnostic } from '@/api/schema';
import { Blank, Glyph, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { CloseIcon } from '@/components/ui/icons';
import { ProblemBlank } from '@/components/ui/problem';

import styles from './problems.module.css';

type Props = {
  project: string;
  environment: string;
  onOpen: (diagnostic: Diagnostic) => void;
  onClose: () => void;
};

function Row({ diagnostic, onOpen }: { diagnostic: Diagnostic; onOpen: () => void }) {
  const { severity, message, code, place } = diagnostic;
  const isError = severity === 'error';
  return (
    <li>
      <button type="button" className={styles.row} onClick={onOpen}>
        <Glyph tone={isError ? 'bad' : 'warn'} glyph={isError ? '✗' : '!'} label={severity} />
        <span>{message}</span>
        <span className="mono muted">{place ? `${place.path}:${place.line}:${place.column}` : ''}</span>
        <span className="mono muted">{code}</span>
      </button>
    </li>
  );
}

function List({ project, environment, onOpen }: Omit<Props, 'onClose'>) {
  const { data, error, refetch } = useDiagnostics(project, environment);
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={4} label="Loading problems" />;
  if (data.diagnostics.length === 0) return <Blank title="No problems">Every file can be read, and every ref finds its node.</Blank>;
  return (
    <ul className={styles.list}>
      {data.diagnostics.map((diagnostic, at) => (
        <Row key={at} diagnostic={diagnostic} onOpen={() => onOpen(diagnostic)} />
      ))}
    </ul>
  );
}

/** Lists what is wrong in the files; each leads to its line. */
export function ProblemsPanel({ onClose, ...list }: Props) {
  return (
    <section className={styles.dock} aria-label="Problems">
      <div className={styles.head}>
        <h2>Problems</h2>
        <Button look="icon" aria-label="Close problems" onClick={onClose}>
          <CloseIcon size={14} />
        </Button>
      </div>
      <List {...list} />
    </section>
  );
}
