import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useDescribeColumn, useDescribeNode, useRemoveTest } from '@/api/commands';
import type { NodeColumn, NodeDetail, TestRef } from '@/api/schema';
import { CloseIcon } from '@/components/ui/icons';

import { AddTest } from './add-test';
import { Description } from './description';
import styles from './node.module.css';

type Of = { project: string; node: NodeDetail };

function argumentWords({ arguments: given }: TestRef): string {
  // A test of a file of its own has none.
  const words = Object.entries((given as TestRef['arguments'] | null) ?? {}).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return words.join(', ');
}

function Tests({ project, node, tests }: Of & { tests: TestRef[] }) {
  const remove = useRemoveTest(project);
  return tests.map((test) => (
    <span key={test.unique_id} className={styles.test} title={argumentWords(test)}>
      {test.name}
      {test.severity === 'warn' && ' (warns)'}
      <button
        type="button"
        aria-label={`Remove the test ${test.name}${test.column ? ` of ${test.column}` : ''}`}
        disabled={remove.isPending}
        onClick={() => remove.mutate({ unique_id: test.unique_id, baseVersion: node.version })}
      >
        <CloseIcon size={10} />
      </button>
    </span>
  ));
}

function Column({ project, node, column, onTest }: Of & { column: NodeColumn; onTest: () => void }) {
  const describe = useDescribeColumn(project);
  const save = (text: string, done: () => void) =>
    describe.mutate({ unique_id: node.unique_id, column: column.name, text, baseVersion: node.version }, { onSuccess: done });
  return (
    <li className={styles.column}>
      <div className={styles.columnHead}>
        <b>{column.name}</b>
        {column.data_type && <span className="muted mono">{column.data_type}</span>}
        <Tests project={project} node={node} tests={column.tests} />
        <button type="button" className={styles.add} aria-label={`Add a test to ${column.name}`} onClick={onTest}>
          + test
        </button>
      </div>
      <Description label={`Description of ${column.name}`} text={column.description} busy={describe.isPending} onSave={save} />
    </li>
  );
}

function Links({ project, title, ids }: { project: string; title: string; ids: string[] }) {
  if (ids.length === 0) return null;
  return (
    <section className={styles.section}>
      <h3>
        {title} {ids.length}
      </h3>
      <div className={styles.links}>
        {ids.map((id) => (
          <Link key={id} to="/projects/$project" params={{ project }} search={{ node: id }}>
            {id.split('.').slice(2).join('.')}
          </Link>
        ))}
      </div>
    </section>
  );
}

/** Shows what the YAML says of a node: its description, columns and tests; and what it reads and is used by. */
export function ColumnsTab({ project, node }: Of) {
  const describe = useDescribeNode(project);
  const [testing, setTesting] = useState<{ column: string | null } | null>(null);
  const save = (text: string, done: () => void) =>
    describe.mutate({ unique_id: node.unique_id, text, baseVersion: node.version }, { onSuccess: done });
  return (
    <>
      <section className={styles.section}>
        <h3>Description</h3>
        <Description label={`Description of ${node.name}`} text={node.description} busy={describe.isPending} onSave={save} />
      </section>
      <section className={styles.section} aria-label="Tests of the node">
        <h3>Tests of the whole node</h3>
        <div className={styles.columnHead}>
          <Tests project={project} node={node} tests={node.node_tests} />
          <button type="button" className={styles.add} onClick={() => setTesting({ column: null })}>
            + test
          </button>
        </div>
      </section>
      {node.columns.length === 0 ? (
        <p className={`${styles.section ?? ''} muted`}>No column is described yet.</p>
      ) : (
        <ul aria-label="Columns">
          {node.columns.map((column) => (
            <Column key={column.name} project={project} node={node} column={column} onTest={() => setTesting({ column: column.name })} />
          ))}
        </ul>
      )}
      <Links project={project} title="Reads" ids={node.parents} />
      <Links project={project} title="Used by" ids={[...node.children, ...node.exposures]} />
      {testing && <AddTest project={project} uniqueId={node.unique_id} column={testing.column} baseVersion={node.version} onClose={() => setTesting(null)} />}
    </>
  );
}
