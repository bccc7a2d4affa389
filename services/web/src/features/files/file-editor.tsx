import { useMemo } from 'react';

import { asProblem } from '@/api/client';
import { useSaveFile } from '@/api/commands';
import { useDiagnostics, useFile } from '@/api/queries';
import type { FileText } from '@/api/schema';
import { LazyEditor, languageOf } from '@/components/editor/lazy-editor';
import { Blank, Glyph, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Conflict } from '@/components/ui/conflict';
import { ProblemBlank, ProblemNote } from '@/components/ui/problem';
import { useEditing } from '@/lib/use-editing';

import { FileMenu } from './file-menu';
import type { Asked } from './files';
import styles from './files.module.css';

type Of = { project: string; environment: string; line: number | undefined; onMoved: (path: string | undefined) => void; asked: Asked; onAsk: (asked: Asked) => void };

function useMarks({ project, environment }: Of, path: string) {
  const { data } = useDiagnostics(project, environment);
  return useMemo(
    () =>
      (data?.diagnostics ?? []).flatMap(({ place, severity, message }) =>
        place?.path === path ? [{ line: place.line, column: place.column, severity, message }] : [],
      ),
    [data, path],
  );
}

function Text({ file, text, ...of }: Of & { file: FileText; text: string }) {
  const { project, line, onMoved, asked, onAsk } = of;
  const { path, version } = file;
  const editing = useEditing(project, { path, text, version });
  const save = useSaveFile(project);
  const marks = useMarks(of, path);
  const send = (written = editing.text, baseVersion = editing.base) => {
    if (!editing.isDirty || save.isPending) return;
    // Also where another file was opened meanwhile; what was refused is in `save.error`.
    save.mutateAsync({ path, text: written, baseVersion }).then(
      (result) => editing.saved(editing.text, result.version),
      () => undefined,
    );
  };
  const takeTheirs = () => {
    editing.discard();
    save.reset();
  };
  const problem = save.error && asProblem(save.error);
  const isConflict = problem?.code === 'EDIT_CONFLICT';
  return (
    <>
      <div className={styles.bar}>
        <h1 className="mono clip" title={path}>
          {path}
        </h1>
        {editing.isDirty && (
          <>
            <Glyph tone="warn" glyph="●" />
            <span className="muted">draft</span>
            <Button look="quiet" onClick={editing.discard}>
              Discard
            </Button>
          </>
        )}
        <Button look={editing.isDirty ? 'primary' : 'plain'} busy={save.isPending} disabled={!editing.isDirty} onClick={() => send()}>
          Save
        </Button>
        <FileMenu project={project} path={path} baseVersion={version} onMoved={onMoved} asked={asked} onAsk={onAsk} />
      </div>
      {problem && (
        <div className={styles.note}>
          {!isConflict && <ProblemNote problem={problem} />}
          {isConflict && version >= Number(problem.version) && (
            <Conflict detail={problem.detail} theirs={text} mine={editing.text} language={languageOf(path)} busy={save.isPending} onSave={(merged) => send(merged, version)} onTheirs={takeTheirs} onClose={() => save.reset()} />
          )}
        </div>
      )}
      <div className={styles.editor}>
        <LazyEditor key={path} value={editing.text} language={languageOf(path)} label={`Text of ${path}`} marks={marks} line={line} onChange={editing.change} onSave={() => send()} />
      </div>
    </>
  );
}

/** Shows a file and lets the user edit it. */
export function FileEditor({ path, ...of }: Of & { path: string }) {
  const { data, error, refetch } = useFile(of.project, path);
  if (error && !data) return <ProblemBlank heading="h1" problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <>
        <h1 className="only-heard">{path}</h1>
        <SkeletonLines lines={12} label={`Loading ${path}`} />
      </>
    );
  }
  if (data.text == null) return <Blank title="Not a text">{path} is not UTF-8; it is kept byte for byte.</Blank>;
  return <Text key={path} file={data} text={data.text} {...of} />;
}
