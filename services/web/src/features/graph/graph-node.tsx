import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { Fragment, type ReactNode, createContext, memo, useContext } from 'react';

import type { GraphNode as GraphNodeData } from '@/api/schema';
import { Glyph } from '@/components/ui/bits';
import { classes } from '@/lib/class-names';
import { colourOf } from '@/lib/people';
import { type Store, useStorePart } from '@/lib/store';

import styles from './graph.module.css';
import { type HighlightStore, nodeMark } from './highlight';
import type { NodeState, States } from './states';

/** `isSteady` is true where there are few enough nodes for each to have its handles all the time. */
export type DbtNode = Node<{ node: GraphNodeData; isSteady: boolean }, 'dbt'>;

/** What nodes watch, so that a change draws only the nodes it concerns. */
export interface Watched {
  highlight: HighlightStore;
  states: Store<States>;
  /** Who else looks at each node, by its unique_id. */
  others: Store<Others>;
  /** The paths of the files that have a draft. */
  drafts: Store<ReadonlySet<string>>;
}

/** Says who looks at what, by unique_id. */
export type Others = ReadonlyMap<string, readonly string[]>;

export const WatchedContext = createContext<Watched | null>(null);

export function useWatched(): Watched {
  const watched = useContext(WatchedContext);
  if (!watched) throw new Error('a node is drawn outside of its canvas');
  return watched;
}

/** How many letters of a name fit into a node; of a longer one its end is kept, which is what tells long names apart. */
const NAME_MAX = 26;
const END_LENGTH = 10;

/** Lets a name break after its underscores. */
function Breaking({ of: text }: { of: string }) {
  return text.split(/(?<=_)(?!_)/).map((part, at) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

/** Shows a name in one line, a long one with its middle left out; in two lines where the canvas is seen from some way off. */
export function Name({ of: name }: { of: string }) {
  const end = name.length > NAME_MAX ? name.length - END_LENGTH : name.length;
  return (
    <b>
      <span>
        <Breaking of={name.slice(0, end)} />
      </span>
      {end < name.length && (
        <span>
          <Breaking of={name.slice(end)} />
        </span>
      )}
    </b>
  );
}

function kindWords(node: GraphNodeData): string {
  if (node.resource_type === 'source') return node.source_name ?? 'source';
  if (node.resource_type === 'model') return node.materialized ?? 'model';
  return node.resource_type;
}

function Tests({ count, state }: { count: number; state: NodeState | undefined }) {
  if (count === 0) return null;
  const ended = (state?.passed ?? 0) + (state?.failed ?? 0) + (state?.warned ?? 0);
  if (!state || ended === 0) return <span data-tests>· {count === 1 ? '1 test' : `${count} tests`}</span>;
  return (
    <span data-tests="ended" aria-label={`${state.passed} tests passed, ${state.failed} failed, ${state.warned} warned`}>
      <span data-aside>·</span>
      {state.passed > 0 && <span className={styles.passed}> {state.passed} ✓</span>}
      {state.warned > 0 && <span className={styles.warned}> {state.warned} !</span>}
      {state.failed > 0 && <span className={styles.failed}> {state.failed} ✗</span>}
    </span>
  );
}

function Mark({ node, state }: { node: GraphNodeData; state: NodeState | undefined }) {
  if (node.problems.errors > 0) return <Glyph tone="bad" glyph="✗" label="has errors" />;
  if (state?.status) return <Glyph tone={state.status.tone} glyph={state.status.glyph} label={state.status.word} />;
  return node.problems.warnings > 0 ? <Glyph tone="warn" glyph="!" label="has warnings" /> : null;
}

/** Draws what is seen of a node: its kind as a stripe, its name, what it is made into, its tests, how it stands. */
export const NodeBox = memo(function NodeBox({ node, mark, children }: { node: GraphNodeData; mark: ReturnType<typeof nodeMark>; children?: ReactNode }) {
  const { states, others, drafts } = useWatched();
  const state = useStorePart(states, (all) => all.get(node.node_key));
  const isDraft = useStorePart(drafts, (all) => all.has(node.path));
  const here = useStorePart(others, (all) => all.get(node.unique_id));
  return (
    <div
      className={classes(styles.node, styles[mark])}
      style={{ ['--kind' as string]: `var(--${node.resource_type}, var(--analysis))` }}
      data-node={node.unique_id}
      data-state={state?.status?.word}
      title={`${node.name} · ${kindWords(node)}`}
    >
      <Name of={node.name} />
      <span className={styles.mark}>
        {isDraft && <Glyph tone="warn" glyph="●" label="has a draft" />}
        <Mark node={node} state={state} />
      </span>
      <small>
        <span>{kindWords(node)}</span>
        <Tests count={node.tests.length} state={state} />
      </small>
      {here && (
        <span className={styles.here}>
          {here.map((name) => (
            <i key={name} style={{ background: colourOf(name) }} title={`${name} is here`}>
              {name.slice(0, 1).toUpperCase()}
            </i>
          ))}
        </span>
      )}
      {children}
    </div>
  );
});

/** Is one node that can be dragged and connected. */
export const GraphNode = memo(function GraphNode({ id, data: { node, isSteady } }: NodeProps<DbtNode>) {
  const { highlight } = useWatched();
  const mark = useStorePart(highlight, (all) => nodeMark(all, id));
  // Handles listen to every move of the canvas: in a large graph only the node that is looked at has some.
  const isNear = isSteady || mark === 'selected' || mark === 'center';
  return (
    <NodeBox node={node} mark={mark}>
      {isNear && <Handle type="target" position={Position.Left} className={styles.handle} />}
      {isNear && <Handle type="source" position={Position.Right} className={styles.handle} />}
    </NodeBox>
  );
});
