import { useMemo } from 'react';

import { asProblem } from '@/api/client';
import { useSaveFile, useSetSql } from '@/api/commands';
import { useGraph } from '@/api/queries';
import type { NodeDetail } from '@/api/schema';
import { LazyEditor, languageOf } from '@/components/editor/lazy-editor';
import { Blank, Glyph } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Conflict } from '@/components/ui/conflict';
import { ProblemNote } from '@/components/ui/problem';
import type { Editing } from '@/lib/use-editing';

import { completeNodes } from './completion';
import styles from './node.module.css';
import { Preview } from './preview-tab';
import type { Asking } from './use-rows';

/** Nodes whose whole file is their SQL. */
const OF_SQL = new Set(['model', 'snapshot', 'analysis']);

/** Saves the text of a node: as its SQL where the file is that, else as a file. */
export function useSaveNode(project: string, node: NodeDetail, editing: Editing) {
  const setSql = useSetSql(project);
  const saveFile = useSaveFile(project);
  const isSql = OF_SQL.has(node.resource_type) && /\.sql$/i.test(node.path);
  const used = isSql ? setSql : saveFile;
  const save = (baseVersion = editing.base) => {
    if (!editing.isDirty || used.isPending) return;
    const text = editing.text;
    const onSuccess = ({ version }: { version: number }) => editing.saved(text, version);
    if (isSql) setSql.mutate({ unique_id: node.unique_id, sql: text, baseVersion }, { onSuccess });
    else saveFile.mutate({ path: node.path, text, baseVersion }, { onSuccess });
  };
  return { save, isSaving: used.isPending, problem: used.error && asProblem(used.error), forget: () => used.reset() };
}

export type Saving = ReturnType<typeof useSaveNode>;

type Props = {
  project: string;
  environment: string;
  node: NodeDetail;
  editing: Editing;
  saving: Saving;
  asking: Asking;
  line: number | undefined;
};

function Messages({ node }: { node: NodeDetail }) {
  if (node.diagnostics.length === 0) return null;
  return (
    <ul className={styles.messages} aria-label="Problems of this node">
      {node.diagnostics.map((found, at) => (
        <li key={at} className={styles.message} data-severity={found.severity}>
          {found.place && `${found.place.line}:${found.place.column} `}
          {found.message}
        </li>
      ))}
    </ul>
  );
}

function Refused({ saving, editing }: Pick<Props, 'saving' | 'editing'>) {
  const { problem, save, forget } = saving;
  if (!problem) return null;
  const takeTheirs = () => {
    editing.discard();
    forget();
  };
  return (
    <div className={styles.note}>
      {problem.code === 'EDIT_CONFLICT' ? (
        <Conflict conflict={problem} onMine={() => save(Number(problem.version))} onTheirs={takeTheirs} />
      ) : (
        <ProblemNote problem={problem} />
      )}
    </div>
  );
}

function marksOf({ diagnostics, path }: NodeDetail, { rows }: Asking) {
  const found = diagnostics.flatMap(({ place, severity, message }) =>
    place?.path === path ? [{ line: place.line, column: place.column, severity, message }] : [],
  );
  if (rows.state !== 'failed' || rows.place?.path !== path) return found;
  return [...found, { line: rows.place.line, column: rows.place.column, severity: 'error', message: rows.message }];
}

/** Edits the text that defines a node; its problems stand at their lines, its rows below. */
export function SqlTab({ project, environment, node, editing, saving, asking, line }: Props) {
  const { data: graph } = useGraph(project, environment);
  const complete = useMemo(() => completeNodes(graph?.nodes ?? []), [graph]);
  const marks = useMemo(() => marksOf(node, asking), [node, asking]);
  if (node.file?.text == null) {
    return <Blank title="No text here">{node.resource_type === 'seed' ? 'A seed is data: see its rows under Preview, or edit it under Files.' : 'Its file is not a text.'}</Blank>;
  }
  const ask = () => asking.ask(editing.isDirty ? editing.text : null);
  const isReadOnly = node.path.startsWith('dbt_packages/');
  return (
    <div className={styles.fill}>
      <Refused saving={saving} editing={editing} />
      <div className={styles.editor}>
        <LazyEditor
          key={node.node_key}
          value={editing.text}
          language={languageOf(node.path)}
          label={`Text of ${node.name}`}
          readOnly={isReadOnly}
          marks={marks}
          line={line}
          complete={complete}
          onChange={editing.change}
          onSave={() => saving.save()}
          onPreview={ask}
        />
      </div>
      <Messages node={node} />
      <div className={styles.bar}>
        {editing.isDirty ? (
          <>
            <Glyph tone="warn" glyph="●" />
            <span>Draft, kept in this browser</span>
            <span data-gap />
            <Button look="quiet" onClick={editing.discard}>
              Discard
            </Button>
          </>
        ) : (
          <>
            <span>Saved</span>
            <span data-gap />
          </>
        )}
        {asking.rows.state === 'none' && (
          <Button look="quiet" onClick={ask}>
            Preview <kbd>Ctrl ⏎</kbd>
          </Button>
        )}
        <Button look={editing.isDirty ? 'primary' : 'plain'} busy={saving.isSaving} disabled={!editing.isDirty} onClick={() => saving.save()}>
          Save <kbd>Ctrl S</kbd>
        </Button>
      </div>
      {asking.rows.state !== 'none' && (
        <div className={styles.preview}>
          <Preview asking={asking} onAsk={ask} />
        </div>
      )}
    </div>
  );
}
