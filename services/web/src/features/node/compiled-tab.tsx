import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';

import { asProblem } from '@/api/client';
import { useCompiled } from '@/api/queries';
import type { CompiledNode, NodeDetail } from '@/api/schema';
import { LazyEditor, languageOf } from '@/components/editor/lazy-editor';
import { Blank, Pill, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank, ProblemNote } from '@/components/ui/problem';
import { lineMap } from '@/lib/sql/source-lines';

import compiledStyles from './compiled.module.css';
import styles from './node.module.css';

const NONE: readonly number[] = [];

function Status({ compiled }: { compiled: CompiledNode }) {
  return (
    <>
      {compiled.status === 'compiled' && <Pill tone="ok" glyph="✓">compiled</Pill>}
      {compiled.status === 'deferred' && <Pill tone="run" glyph="◌">rendered by the run</Pill>}
      {compiled.status === 'broken' && <Pill tone="bad" glyph="✗">broken</Pill>}
      <span className="clip" title={compiled.reason ?? undefined}>{compiled.reason}</span>
    </>
  );
}

/** Says which other files the text of a line came from. */
function Origins({ project, paths }: { project: string; paths: readonly string[] }) {
  if (paths.length === 0) return null;
  return (
    <div className={styles.bar}>
      <span className="clip">
        This line comes from{' '}
        {paths.map((path) => (
          <Link key={path} className="mono" to="/projects/$project/files" params={{ project }} search={{ path }}>
            {path}{' '}
          </Link>
        ))}
      </span>
    </div>
  );
}

function Sides({ project, node, compiled, sql, isMapped }: { project: string; node: NodeDetail; compiled: CompiledNode; sql: string; isMapped: boolean }) {
  const source = node.file?.text ?? '';
  const [at, setAt] = useState<{ side: 'source' | 'output'; line: number }>();
  const map = useMemo(() => (isMapped ? lineMap(compiled.source_map, node.path, source, sql) : null), [compiled, node.path, source, sql, isMapped]);
  const others = useMemo(() => {
    if (at?.side !== 'output' || !isMapped) return [];
    const bytes = new TextEncoder().encode(sql.split('\n').slice(0, at.line - 1).join('\n')).length;
    const end = new TextEncoder().encode(sql.split('\n').slice(0, at.line).join('\n')).length;
    const found = compiled.source_map.filter(({ path, output: [from = 0, to = 0] }) => path !== node.path && from < end && to > bytes);
    return [...new Set(found.map(({ path }) => path))];
  }, [at, compiled, sql, node.path, isMapped]);
  const inOutput = at?.side === 'source' ? (map?.toOutput.get(at.line) ?? NONE) : NONE;
  const inSource = at?.side === 'output' ? (map?.toSource.get(at.line) ?? NONE) : NONE;
  return (
    <>
      <div className={compiledStyles.sides}>
        <section aria-label="Source">
          <h3>{node.path}</h3>
          <LazyEditor value={source} language={languageOf(node.path)} label={`Source of ${node.name}`} readOnly linkedLines={inSource} onLine={(line) => setAt({ side: 'source', line })} />
        </section>
        <section aria-label="Compiled">
          <h3>What it compiles to</h3>
          <LazyEditor value={sql} language="sql" label="Compiled SQL" readOnly linkedLines={inOutput} onLine={(line) => setAt({ side: 'output', line })} />
        </section>
      </div>
      <Origins project={project} paths={others} />
    </>
  );
}

/** Shows the saved node beside what it compiles to; the line that is looked at in one is marked in the other. */
export function CompiledTab({ project, environment, node }: { project: string; environment: string; node: NodeDetail }) {
  const { data, error, refetch } = useCompiled(project, environment, node.unique_id);
  const [incremental, setIncremental] = useState(false);
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={10} label="Loading what it compiles to" />;
  const isLater = incremental && data.incremental_sql != null;
  const sql = isLater ? data.incremental_sql : data.sql;
  return (
    <div className={styles.fill}>
      <div className={styles.bar} style={{ borderTop: 0 }}>
        <Status compiled={data} />
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
        <Sides key={String(isLater)} project={project} node={node} compiled={data} sql={sql} isMapped={!isLater} />
      )}
    </div>
  );
}
