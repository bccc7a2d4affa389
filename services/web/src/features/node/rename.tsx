import { type SyntheticEvent, useEffect, useState } from 'react';

import { asProblem } from '@/api/client';
import { useRenameNode } from '@/api/commands';
import { usePreviewRename } from '@/api/mutations';
import type { CommandResult, NodeDetail, RenamePreview } from '@/api/schema';
import { Button } from '@/components/ui/button';
import { Changes } from '@/components/ui/changes';
import { ProblemNote } from '@/components/ui/problem';
import { plural } from '@/lib/format';

import styles from './node.module.css';

/** How long after the last key the preview is asked for. */
const SETTLE_MS = 250;

function Mentions({ preview }: { preview: RenamePreview }) {
  if (preview.mentions.length === 0) return null;
  return (
    <div>
      <p>
        <span aria-hidden="true">! </span>
        {plural(preview.mentions.length, 'line')} may name it too and stay as they are:
      </p>
      <ul>
        {preview.mentions.map((mention) => (
          <li key={`${mention.path}:${mention.line}`} className="mono muted">
            {mention.path}:{mention.line} {mention.text.trim()}
          </li>
        ))}
      </ul>
    </div>
  );
}

type Props = { project: string; node: NodeDetail; onDone: (result: CommandResult | null) => void };

/** Renames a node in its place: shows what that writes in which file, what it leaves, and what it does in the target. */
export function Rename({ project, node, onDone }: Props) {
  const [to, setTo] = useState(node.name);
  const preview = usePreviewRename(project);
  const rename = useRenameNode(project);
  const { mutate: look, reset } = preview;
  const isNew = to.trim() !== '' && to !== node.name;
  useEffect(() => {
    if (!isNew) {
      reset();
      return;
    }
    const timer = setTimeout(() => look({ unique_id: node.unique_id, to: to.trim() }), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [isNew, to, node.unique_id, look, reset]);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!isNew) {
      onDone(null);
      return;
    }
    rename.mutate({ unique_id: node.unique_id, to: to.trim(), baseVersion: node.version }, { onSuccess: onDone });
  };
  const problem = rename.error ?? preview.error;
  const edits = preview.data?.files.reduce((sum, file) => sum + file.hunks.length, 0) ?? 0;
  const moves = preview.data?.files.filter((file) => file.moved_to != null).length ?? 0;
  return (
    <form onSubmit={submit} aria-label={`Rename ${node.name}`}>
      <h2 className="only-heard">{node.name}</h2>
      <div style={{ display: 'flex', gap: 8, marginRight: 8 }}>
        <input
          className={styles.name}
          autoFocus
          aria-label="New name"
          value={to}
          spellCheck={false}
          onFocus={(event) => event.target.select()}
          onChange={(event) => setTo(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && onDone(null)}
        />
        <Button look="primary" type="submit" busy={rename.isPending} disabled={!isNew || preview.isError}>
          Rename
        </Button>
        <Button onClick={() => onDone(null)}>Cancel</Button>
      </div>
      {isNew && (
        <div className={styles.rename} aria-busy={preview.isPending}>
          {problem && <ProblemNote problem={asProblem(problem)} />}
          {preview.isPending && <p className="muted">Looking at what it would change…</p>}
          {preview.data && (
            <>
              <p>
                <b>{plural(edits, 'edit')}</b> in {plural(preview.data.files.length, 'file')}
                {moves > 0 && `, of which ${moves} ${moves === 1 ? 'is' : 'are'} renamed`}. In the target: {preview.data.target}.
              </p>
              <Changes files={preview.data.files} label="What the rename writes" />
              <Mentions preview={preview.data} />
            </>
          )}
        </div>
      )}
    </form>
  );
}
