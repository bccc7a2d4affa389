import { useMemo, useState } from 'react';

import { asProblem } from '@/api/client';
import { useSaveFile, useSetSql } from '@/api/commands';
import { useFileAt, useGraph, useNames, useProject } from '@/api/queries';
import type { NodeDetail } from '@/api/schema';
import { LazyEditor, languageOf } from '@/components/editor/lazy-editor';
import { Blank, Glyph, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Conflict } from '@/components/ui/conflict';
import { ProblemNote } from '@/components/ui/problem';
import { completeSql } from '@/lib/sql/complete';
import { type Definition, definitionAt } from '@/lib/sql/definition';
import type { Known } from '@/lib/sql/names';
import type { Editing } from '@/lib/use-editing';

import styles from './node.module.css';
import { Preview } from './preview-tab';
import rowStyles from './rows.module.css';
import type { Asking } from './use-rows';

/** Nodes whose whole file is their SQL. */
const OF_SQL = new Set(['model', 'snapshot', 'analysis']);

/** Saves the text of a node: as its SQL where the file is that, else as a file. */
export function useSaveNode(project: string, node: NodeDetail, editing: Editing) {
  const setSql = useSetSql(project);
  const saveFile = useSaveFile(project);
  const isSql = OF_SQL.has(node.resource_type) && /\.sql$/i.test(node.path);
  const used = isSql ? setSql : saveFile;
  const send = (text: string, baseVersion: number, then?: () => void) => {
    if (used.isPending) return;
    const onSuccess = ({ version }: { version: number }) => {
      editing.saved(editing.text, version);
      then?.();
    };
    const written = isSql
      ? setSql.mutateAsync({ unique_id: node.unique_id, sql: text, baseVersion })
      : saveFile.mutateAsync({ path: node.path, text, baseVersion });
    // Also where the panel was closed meanwhile; what was refused is in `problem`.
    written.then(onSuccess, () => undefined);
  };
  /** Saves what was typed, where something was, and goes on. */
  const save = (then?: () => void) => (editing.isDirty ? send(editing.text, editing.base, then) : then?.());
  return { save, saveOver: send, isSaving: used.isPending, problem: used.error && asProblem(used.error), forget: () => used.reset() };
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
  onGo: (definition: Definition) => void;
  onRun: (node: NodeDetail) => void;
  onBuild: (node: NodeDetail) => void;
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

function Refused({ node, saving, editing }: Pick<Props, 'node' | 'saving' | 'editing'>) {
  const { problem, isSaving, saveOver, forget } = saving;
  if (!problem) return null;
  if (problem.code !== 'EDIT_CONFLICT') {
    return (
      <div className={styles.note}>
        <ProblemNote problem={problem} />
      </div>
    );
  }
  const takeTheirs = () => {
    editing.discard();
    forget();
  };
  const version = Number(problem.version);
  // Until their text is read, there is nothing to choose between.
  if (node.version < version) return <SkeletonLines lines={1} label="Loading their edit" />;
  return (
    <Conflict
      detail={problem.detail}
      theirs={node.file?.text ?? ''}
      mine={editing.text}
      language={languageOf(node.path)}
      busy={isSaving}
      onSave={(text) => saveOver(text, node.version)}
      onTheirs={takeTheirs}
      onClose={forget}
    />
  );
}

function marksOf({ diagnostics, path }: NodeDetail, { rows }: Asking) {
  const found = diagnostics.flatMap(({ place, severity, message }) =>
    place?.path === path ? [{ line: place.line, column: place.column, severity, message }] : [],
  );
  if (rows.state !== 'failed' || rows.place?.path !== path) return found;
  return [...found, { line: rows.place.line, column: rows.place.column, severity: 'error', message: rows.message }];
}

/** Answers the text as it was published last, while that is wanted: empty where the file is new. */
function usePublished(project: string, path: string, wanted: boolean): { text: string | null; version: number | null } {
  const { data: detail } = useProject(project);
  const published = detail?.published?.state === 'published' ? detail.published.version : null;
  const { data, error } = useFileAt(project, path, published ?? 0, { enabled: wanted && published !== null });
  if (!wanted || published === null) return { text: null, version: published };
  return { text: error ? '' : (data?.text ?? null), version: published };
}

/** Answers all that the editor completes from and leads to. */
function useKnown(project: string, environment: string): Known {
  const { data: graph } = useGraph(project, environment);
  const { data: names } = useNames(project, environment);
  return useMemo(() => ({ nodes: graph?.nodes ?? [], names }), [graph, names]);
}

/** Edits the text that defines a node; its problems stand at their lines, its rows below. */
export function SqlTab({ project, environment, node, editing, saving, asking, line, onGo, onRun, onBuild }: Props) {
  const known = useKnown(project, environment);
  const complete = useMemo(() => completeSql(() => known), [known]);
  const marks = useMemo(() => marksOf(node, asking), [node, asking]);
  const [comparing, setComparing] = useState(false);
  const published = usePublished(project, node.path, comparing);
  if (node.file?.text == null) {
    return <Blank title="No text here">{node.resource_type === 'seed' ? 'A seed is data: see its rows under Preview, or edit it under Files.' : 'Its file is not a text.'}</Blank>;
  }
  const ask = (cte?: string) => asking.ask(editing.isDirty ? editing.text : null, cte);
  const go = (text: string, at: number) => {
    const found = definitionAt(known, text, at);
    if (found) onGo(found);
    return found !== undefined;
  };
  const isReadOnly = node.path.startsWith('dbt_packages/');
  return (
    <div className={styles.fill}>
      <Refused node={node} saving={saving} editing={editing} />
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
          original={published.text}
          onChange={editing.change}
          onSave={() => saving.save()}
          onPreview={() => ask()}
          onPreviewCte={ask}
          onRun={() => saving.save(() => onRun(node))}
          onGo={go}
        />
      </div>
      <Messages node={node} />
      <div className={styles.bar}>
        {editing.isDirty ? (
          <>
            <Glyph tone="warn" glyph="●" />
            <span className="clip">Draft, kept in this browser</span>
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
        {published.version !== null && (
          <Button look="quiet" aria-pressed={comparing} onClick={() => setComparing(!comparing)} title={`Compare with version ${published.version}, which is published`}>
            {comparing ? 'Without changes' : 'Changes'}
          </Button>
        )}
        {asking.rows.state === 'none' && (
          <Button look="quiet" onClick={() => ask()} title="Ctrl Enter; Alt Enter for the CTE at the cursor">
            Preview
          </Button>
        )}
        <Button look={editing.isDirty ? 'primary' : 'plain'} busy={saving.isSaving} disabled={!editing.isDirty} onClick={() => saving.save()}>
          Save <kbd>Ctrl S</kbd>
        </Button>
      </div>
      {asking.rows.state !== 'none' && (
        <div className={rowStyles.preview}>
          <Preview asking={asking} onAsk={() => ask(asking.cte)} onBuild={() => onBuild(node)} />
        </div>
      )}
    </div>
  );
}
