import type { Node, NodeProps } from '@xyflow/react';
import { createContext, memo, useContext } from 'react';

import { Glyph } from '@/components/ui/bits';
import { ChevronIcon, RightIcon } from '@/components/ui/icons';
import { classes } from '@/lib/class-names';
import { plural } from '@/lib/format';
import { useStorePart } from '@/lib/store';

import styles from './graph.module.css';
import { Name, useWatched } from './graph-node';
import type { Group } from './groups';
import { nodeMark } from './highlight';
import type { States } from './states';

export type GroupNodeType = Node<{ group: Group }, 'group'>;
export type FrameNodeType = Node<{ group: Group }, 'frame'>;

/** Opens or closes a group. */
export const ToggleContext = createContext<(key: string) => void>(() => undefined);

function countWords({ kind, members }: Group): string {
  return kind === 'source' ? plural(members.length, 'table') : plural(members.length, 'node');
}

/** Answers the worst of what its members came to, as one word; empty where nothing ran. */
function stateOf(states: States, { members }: Group): '' | 'running' | 'failed' | 'succeeded' {
  let word: '' | 'succeeded' = '';
  let failed = false;
  for (const member of members) {
    const state = states.get(member);
    if (!state) continue;
    if (state.status?.word === 'running') return 'running';
    if (state.status?.word === 'failed' || state.failed > 0) failed = true;
    if (state.status) word = 'succeeded';
  }
  return failed ? 'failed' : word;
}

const MARKS = {
  running: <Glyph tone="run" glyph="◐" label="running" />,
  failed: <Glyph tone="bad" glyph="✗" label="some failed" />,
  succeeded: <Glyph tone="ok" glyph="✓" label="succeeded" />,
  '': null,
};

/** Draws a closed group: a source with its tables, or a folder. */
export const GroupNode = memo(function GroupNode({ id, data: { group } }: NodeProps<GroupNodeType>) {
  const { highlight, states } = useWatched();
  const mark = useStorePart(highlight, (all) => nodeMark(all, id));
  const state = useStorePart(states, (all) => stateOf(all, group));
  const above = group.label.lastIndexOf('/');
  return (
    <div
      className={classes(styles.node, styles.closed, styles[mark])}
      style={{ ['--kind' as string]: group.kind === 'source' ? 'var(--source)' : 'var(--model)' }}
      data-group={group.key}
      title={`${group.label} · ${countWords(group)} · Enter or a click opens it`}
    >
      <Name of={group.label.slice(above + 1)} />
      <span className={styles.mark}>{state === '' ? <RightIcon size={12} /> : MARKS[state]}</span>
      <small>
        <span className="clip">
          {group.kind === 'source' ? 'source' : above < 0 ? 'folder' : group.label.slice(0, above)} · {countWords(group)}
        </span>
      </small>
    </div>
  );
});

/** Draws the frame around the members of an open group; its name closes it. */
export const FrameNode = memo(function FrameNode({ data: { group }, width, height }: NodeProps<FrameNodeType>) {
  const toggle = useContext(ToggleContext);
  const above = group.label.lastIndexOf('/');
  return (
    <div className={styles.frame} style={{ width, height }}>
      <button type="button" className="nodrag nopan" tabIndex={-1} title="Close the group" onClick={() => toggle(group.key)}>
        <ChevronIcon size={11} />
        <span>
          <span data-aside>{group.label.slice(0, above + 1)}</span>
          {group.label.slice(above + 1)}
          <span data-aside> · {countWords(group)}</span>
        </span>
      </button>
    </div>
  );
});

