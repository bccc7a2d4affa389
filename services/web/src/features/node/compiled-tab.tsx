import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useCompiled } from '@/api/queries';
import { LazyEditor } from '@/components/editor/lazy-editor';
import { Blank, Pill, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank, ProblemNote } from '@/components/ui/problem';

import styles from './node.module.css';

/** Shows what the saved node compiles to. */
export function CompiledTab({ project, environment, id }: { project: string; environment: string; id: string }) {
  const { data, error, refetch } = useCompiled(project, environment, id);
  const [incremental, setIncremental] = useState(false);
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={10} label="Compiling" />;
  const sql = incremental && data.incremental_sql != null ? data.incremental_sql : data.sql;
  return (
    <div className={styles.fill}>
      <div className={styles.bar} style={{ borderTop: 0 }}>
        {data.status === 'compiled' && <Pill tone="ok" glyph="✓">compiled</Pill>}
        {data.status === 'deferred' && <Pill tone="run" glyph="◌">rendered by the run</Pill>}
        {data.status === 'broken' && <Pill tone="bad" glyph="✗">broken</Pill>}
        <span className="clip">{data.reason}</span>
        <span data-gap />
        {data.incremental_sql != null && (
          <Button look="quiet" aria-pressed={incremental} onClick={() => setIncremental(!incremental)}>
            {incremental ? 'As the first run' : 'As a later run'}
          </Button>
        )}
      </div>
      {data.error && (
        <div className={styles.note}>
          <ProblemNote problem={{ code: data.error.code, detail: data.error.message, trace_id: '' }} />
        </div>
      )}
      {sql == null ? (
        data.status !== 'broken' && <Blank title="No SQL">This kind of node compiles to nothing.</Blank>
      ) : (
        <div className={styles.editor}>
          <LazyEditor key={String(incremental)} value={sql.replace(/^\n+/, '')} language="sql" label="Compiled SQL" readOnly />
        </div>
      )}
    </div>
  );
}
