import { useState } from 'react';

import bits from './bits.module.css';
import { Button } from './button';

/** Is what a problem of the API says, as far as a page shows it. */
export interface Shown {
  code: string;
  detail: string;
  trace_id: string;
  title?: string;
}

function Trace({ id }: { id: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(id);
    setCopied(true);
  };
  return (
    <button type="button" title={id} onClick={() => void copy()}>
      {copied ? 'Trace id copied' : 'Copy trace id'}
    </button>
  );
}

/** Shows a problem where it happened. */
export function ProblemNote({ problem, onRetry }: { problem: Shown; onRetry?: () => void }) {
  return (
    <div role="alert" className={bits.problem}>
      <p>
        <span aria-hidden="true">✗ </span>
        {problem.detail}
      </p>
      <small>
        <span className="mono" style={{ fontSize: 'var(--t1)' }}>{problem.code}</span>
        {problem.trace_id !== '' && <Trace id={problem.trace_id} />}
        {onRetry && (
          <button type="button" onClick={onRetry}>
            Try again
          </button>
        )}
      </small>
    </div>
  );
}

type BlankProps = { problem: Shown; onRetry?: () => void; heading?: 'h1' | 'h2' };

/** Shows a problem in the place of a whole view; where that is all of a page, under its first heading. */
export function ProblemBlank({ problem, onRetry, heading: Heading = 'h2' }: BlankProps) {
  return (
    <div role="alert" className={bits.blank}>
      <Heading>{problem.code === 'UNREACHABLE' ? 'The server does not answer' : (problem.title ?? 'This did not work')}</Heading>
      <p>{problem.detail}</p>
      <p className="mono">{problem.code}</p>
      <div className={bits.actions}>
        {onRetry && <Button onClick={onRetry}>Try again</Button>}
        {problem.trace_id !== '' && (
          <span className={bits.hint} style={{ alignSelf: 'center' }}>
            <Trace id={problem.trace_id} />
          </span>
        )}
      </div>
    </div>
  );
}
