import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useDeclareColumns, useDescribeColumn, useDescribeNode, useDisconnect } from '@/api/commands';
import { useActualColumns } from '@/api/queries';
import type { NodeDetail, NodeRelation } from '@/api/schema';
import { Glyph } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { CloseIcon } from '@/components/ui/icons';
import { plural } from '@/lib/format';

import { AddTest } from './add-test';
import { type BothColumn, together, undeclared } from './columns';
import { Description } from './description';
import styles from './columns.module.css';
import { Tests } from './tests';

type Of = { project: string; environment: string; node: NodeDetail };

function Differs({ column, isKnown }: { column: BothColumn; isKnown: boolean }) {
  if (!isKnown) return null;
  if (!column.declared) return <span className={styles.differs}>not declared</span>;
  if (!column.actual) {
    return (
      <span className={styles.differs} data-bad>
        <Glyph tone="warn" glyph="!" /> not in the target
      </span>
    );
  }
  return null;
}

function Column({ project, environment, node, column, isKnown, onTest }: Of & { column: BothColumn; isKnown: boolean; onTest: () => void }) {
  const describe = useDescribeColumn(project);
  const { name, declared, actual } = column;
  const save = (text: string, done: () => void) =>
    describe.mutate({ unique_id: node.unique_id, column: name, text, baseVersion: node.version }, { onSuccess: done });
  return (
    <li className={styles.column} data-undeclared={!declared || undefined}>
      <div className={styles.columnHead}>
        <b>{name}</b>
        <span className="muted mono">{actual?.type ?? declared?.data_type}</span>
        <Differs column={column} isKnown={isKnown} />
        {declared && <Tests project={project} environment={environment} node={node} tests={declared.tests} />}
        <button type="button" className={styles.add} aria-label={`Add a test to ${name}`} onClick={onTest}>
          + test
        </button>
      </div>
      <Description label={`Description of ${name}`} text={declared?.description ?? ''} busy={describe.isPending} onSave={save} />
    </li>
  );
}

/** Says what is known of the relation in the target. */
function relationWords(relation: NodeRelation | undefined, isAsking: boolean): string {
  if (!relation) return isAsking ? 'Asking the target…' : 'The target was not asked.';
  switch (relation.state) {
    case 'found':
      return `${relation.schema}.${relation.name} in the target: ${plural(relation.columns.length, 'column')}`;
    case 'missing':
      return `${relation.schema}.${relation.name} is not in the target yet: run the node, and its columns and types stand here.`;
    case 'failed':
      return `The target could not be asked: ${relation.message}`;
  }
}

const RELATIONAL = new Set(['model', 'seed', 'snapshot', 'source']);

function Columns({ project, environment, node, onTest }: Of & { onTest: (column: string) => void }) {
  const hasRelation = RELATIONAL.has(node.resource_type) && node.materialized !== 'ephemeral';
  const { data, error, isFetching, refetch } = useActualColumns(project, environment, node.unique_id, { enabled: hasRelation });
  const declare = useDeclareColumns(project);
  const columns = together(node.columns, data);
  const isKnown = data?.state === 'found';
  const missing = isKnown ? undeclared(columns) : [];
  return (
    <>
      <section className={styles.section}>
        <div className={styles.columnHead}>
          <h3>Columns {columns.length}</h3>
          <span data-gap />
          {missing.length > 0 && (
            <Button busy={declare.isPending} title="Declares them in the YAML with their types, as one edit" onClick={() => declare.mutate({ unique_id: node.unique_id, columns: missing, baseVersion: node.version })}>
              Fill {plural(missing.length, 'column')}
            </Button>
          )}
          {hasRelation && (
            <Button look="quiet" busy={isFetching} onClick={() => void refetch()}>
              Ask the target
            </Button>
          )}
        </div>
        {hasRelation && <p className="muted">{error ? asProblem(error).detail : relationWords(data, isFetching)}</p>}
      </section>
      {columns.length === 0 ? (
        <p className={`${styles.section ?? ''} muted`}>No column is declared yet.</p>
      ) : (
        <ul aria-label="Columns">
          {columns.map((column) => (
            <Column key={column.name} project={project} environment={environment} node={node} column={column} isKnown={isKnown} onTest={() => onTest(column.name)} />
          ))}
        </ul>
      )}
    </>
  );
}

function nameOf(id: string): string {
  return id.split('.').slice(2).join('.');
}

function Links({ project, title, ids, onDrop }: { project: string; title: string; ids: string[]; onDrop?: (id: string) => void }) {
  if (ids.length === 0) return null;
  return (
    <section className={styles.section}>
      <h3>
        {title} {ids.length}
      </h3>
      <ul className={styles.links} aria-label={title}>
        {ids.map((id) => (
          <li key={id}>
            <Link to="/projects/$project" params={{ project }} search={{ node: id }}>
              {nameOf(id)}
            </Link>
            {onDrop && (
              <button type="button" aria-label={`Do not read ${nameOf(id)} any more`} title="Disconnect" onClick={() => onDrop(id)}>
                <CloseIcon size={10} />
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Shows what the YAML says of a node beside what the target has: description, columns, tests; what it reads, what reads it. */
export function ColumnsTab({ project, environment, node }: Of) {
  const describe = useDescribeNode(project);
  const disconnect = useDisconnect(project);
  const [testing, setTesting] = useState<{ column: string | null } | null>(null);
  const save = (text: string, done: () => void) =>
    describe.mutate({ unique_id: node.unique_id, text, baseVersion: node.version }, { onSuccess: done });
  const drop = (from: string) => disconnect.mutate({ from, to: node.unique_id, baseVersion: node.version });
  return (
    <>
      <section className={styles.section}>
        <h3>Description</h3>
        <Description label={`Description of ${node.name}`} text={node.description} busy={describe.isPending} onSave={save} />
      </section>
      <section className={styles.section} aria-label="Tests of the node">
        <h3>Tests of the whole node</h3>
        <div className={styles.columnHead}>
          <Tests project={project} environment={environment} node={node} tests={node.node_tests} />
          <button type="button" className={styles.add} onClick={() => setTesting({ column: null })}>
            + test
          </button>
        </div>
      </section>
      <Columns project={project} environment={environment} node={node} onTest={(column) => setTesting({ column })} />
      <Links project={project} title="Reads" ids={node.parents} {...(node.resource_type === 'model' && { onDrop: drop })} />
      <Links project={project} title="Used by" ids={[...node.children, ...node.exposures]} />
      {testing && <AddTest project={project} environment={environment} node={node} column={testing.column} onClose={() => setTesting(null)} />}
    </>
  );
}
