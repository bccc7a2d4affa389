import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useDiagnostics } from '@/api/queries';
import type { Diagnostic } from '@/api/schema';
import { Blank, ChipButton, Glyph, SkeletonLines } from '@/components/ui/bits';
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

/** What of the list is shown. */
type Shown = 'all' | 'error' | 'warning';

function nodeName(uniqueId: string | null | undefined): string | undefined {
  return uniqueId?.split('.').slice(2).join('.');
}

function Row({ diagnostic, onOpen }: { diagnostic: Diagnostic; onOpen: () => void }) {
  const { severity, message, code, place, unique_id } = diagnostic;
  const isError = severity === 'error';
  const at = place ? `${place.path}:${place.line}:${place.column}` : '';
  return (
    <li>
      <button type="button" className={styles.row} title={`${message}\n${at}`} onClick={onOpen}>
        <Glyph tone={isError ? 'bad' : 'warn'} glyph={isError ? '✗' : '!'} label={severity} />
        <span className="clip">{message}</span>
        <span className="mono clip">{nodeName(unique_id)}</span>
        <span className={`${styles.place ?? ''} mono muted`}>
          <bdi>{at}</bdi>
        </span>
        <span className="mono muted clip">{code}</span>
      </button>
    </li>
  );
}

function Choice({ label, count, chosen, onChoose }: { label: string; count: number; chosen: boolean; onChoose: () => void }) {
  return (
    <ChipButton aria-pressed={chosen} onClick={onChoose}>
      {label} <b>{count}</b>
    </ChipButton>
  );
}

function List({ problems: { data, error, refetch }, shown, onOpen }: { problems: ReturnType<typeof useDiagnostics>; shown: Shown; onOpen: Props['onOpen'] }) {
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={4} label="Loading problems" />;
  if (data.diagnostics.length === 0) return <Blank title="No problems">Every file can be read, and every ref finds its node.</Blank>;
  return (
    <ul className={styles.list}>
      {data.diagnostics
        .filter(({ severity }) => shown === 'all' || severity === shown)
        .map((diagnostic, at) => (
          <Row key={at} diagnostic={diagnostic} onOpen={() => onOpen(diagnostic)} />
        ))}
    </ul>
  );
}

/** Lists what is wrong in the files; each leads to its line. */
export function ProblemsPanel({ project, environment, onOpen, onClose }: Props) {
  const problems = useDiagnostics(project, environment);
  const [shown, setShown] = useState<Shown>('all');
  const all = problems.data?.diagnostics ?? [];
  const errors = all.filter(({ severity }) => severity === 'error').length;
  const choices: [Shown, string, number][] = [
    ['all', 'All', all.length],
    ['error', 'Errors', errors],
    ['warning', 'Warnings', all.length - errors],
  ];
  return (
    <section className={styles.dock} aria-label="Problems">
      <div className={styles.head}>
        <h2>Problems</h2>
        {errors > 0 && errors < all.length && choices.map(([value, label, count]) => <Choice key={value} label={label} count={count} chosen={shown === value} onChoose={() => setShown(value)} />)}
        <span />
        <Button look="icon" aria-label="Close problems" onClick={onClose}>
          <CloseIcon size={14} />
        </Button>
      </div>
      <List problems={problems} shown={shown} onOpen={onOpen} />
    </section>
  );
}
