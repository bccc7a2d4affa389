import { Link } from '@tanstack/react-router';

import type { NodeDetail } from '@/api/schema';
import { Pill } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ChevronIcon, CloseIcon, PenIcon, PlayIcon, WidenIcon } from '@/components/ui/icons';
import { Menu, MenuItem, MenuSeparator } from '@/components/ui/overlay';
import { useShortcuts } from '@/lib/shortcuts';

import styles from './node.module.css';
import type { NodePanelProps } from './node-panel';
import { Rename } from './rename';

type Props = NodePanelProps & { node: NodeDetail; isDraft: boolean };

/** Kinds of nodes that the API renames. */
const RENAMEABLE = new Set(['model', 'seed', 'snapshot', 'exposure', 'analysis']);
const RUNNABLE = new Set(['model', 'seed', 'snapshot']);

function Where({ project, node }: Pick<Props, 'project' | 'node'>) {
  const users = node.children.length + node.exposures.length;
  return (
    <p className={`${styles.where ?? ''} clip`}>
      <Link to="/projects/$project/files" params={{ project }} search={{ path: node.path }} title="Open the file">
        {node.path}
      </Link>
      {' · '}
      {node.materialized ?? node.resource_type}
      {users > 0 && ` · used by ${users}`}
    </p>
  );
}

function More({ node, onRun, onConnect, onRename, onRemove }: Pick<Props, 'node' | 'onRun' | 'onConnect' | 'onRemove'> & { onRename: () => void }) {
  const trigger = (
    <Button look="icon" aria-label="More for this node">
      <ChevronIcon size={14} />
    </Button>
  );
  return (
    <Menu trigger={trigger} align="end">
      {RUNNABLE.has(node.resource_type) && (
        <MenuItem onSelect={() => onRun(node)}>
          <PlayIcon size={12} /> <span>Run this node</span> <kbd>Ctrl ⇧ ⏎</kbd>
        </MenuItem>
      )}
      {RENAMEABLE.has(node.resource_type) && <MenuItem onSelect={onRename}><span>Rename…</span><kbd>F2</kbd></MenuItem>}
      <MenuItem onSelect={() => onConnect(node.unique_id)}><span>Connect…</span><kbd>C</kbd></MenuItem>
      <MenuSeparator />
      <MenuItem onSelect={() => onRemove(node.unique_id)}><span>Remove…</span><kbd>Del</kbd></MenuItem>
    </Menu>
  );
}

/** Names the node, says where it is defined and how it stands; it is renamed here. */
export function NodeHead({ project, node, isDraft, state, renaming, onRenaming, wide, onWide, onRun, onConnect, onMoved, onRemove, onClose }: Props) {
  const canRename = RENAMEABLE.has(node.resource_type);
  useShortcuts([{ keys: 'F2', does: 'Rename', run: () => onRenaming(canRename) }]);
  if (renaming && canRename) {
    const done = (moved: { moved: { from: string; to: string }[] } | null) => {
      onRenaming(false);
      const here = moved?.moved.find(({ from }) => from === node.unique_id);
      if (here) onMoved(here.to);
    };
    return (
      <div className={styles.head}>
        <Rename project={project} node={node} onDone={done} />
      </div>
    );
  }
  return (
    <div className={styles.head}>
      <div className={styles.title}>
        <span className={styles.dot} style={{ background: `var(--${node.resource_type}, var(--analysis))` }} aria-hidden="true" />
        <h2 className="clip" title={node.name}>
          {node.name}
        </h2>
        {canRename && (
          <Button look="icon" aria-label={`Rename ${node.name}`} onClick={() => onRenaming(true)}>
            <PenIcon size={14} />
          </Button>
        )}
        {node.problems.errors > 0 && (
          <Pill tone="bad" glyph="✗">
            {node.problems.errors === 1 ? 'error' : `${node.problems.errors} errors`}
          </Pill>
        )}
        {isDraft && (
          <Pill tone="warn" glyph="●">
            draft
          </Pill>
        )}
        {state}
        <span data-gap />
        <Button look="icon" aria-label={wide ? 'Narrow the panel' : 'Widen the panel'} aria-pressed={wide} onClick={() => onWide(!wide)}>
          <WidenIcon size={14} />
        </Button>
        <More node={node} onRun={onRun} onConnect={onConnect} onRename={() => onRenaming(true)} onRemove={onRemove} />
        <Button look="icon" aria-label="Close the panel" onClick={onClose}>
          <CloseIcon size={14} />
        </Button>
      </div>
      <Where project={project} node={node} />
    </div>
  );
}
