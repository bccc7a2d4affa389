import { asProblem } from '@/api/client';
import { useRemoveNodes } from '@/api/commands';
import { useRemovalPreview } from '@/api/queries';
import type { Graph, GraphNode } from '@/api/schema';
import { SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';
import { plural } from '@/lib/format';

import styles from './edit.module.css';

type Of = { project: string; node: GraphNode };

/** Says what goes with a node, and what would break. */
function Removal({ project, node, gone }: Of & { gone: ReadonlySet<string> }) {
  const { data, error } = useRemovalPreview(project, node.unique_id);
  if (error) return <ProblemNote problem={asProblem(error)} />;
  if (!data) return <SkeletonLines lines={2} label={`Looking at ${node.name}`} />;
  const breaks = data.breaks.filter(({ path }) => !gone.has(path));
  return (
    <section className={styles.stack} aria-label={node.name}>
      <p>
        <b className="mono">{node.name}</b>: {data.files.map((file) => file.path).join(', ')}
        {node.tests.length > 0 && `, with ${plural(node.tests.length, 'test')}`}. In the target: {data.target}.
      </p>
      {breaks.length > 0 && (
        <div className={styles.breaks}>
          <p>
            <span aria-hidden="true">! </span>
            {plural(breaks.length, 'place needs', 'places need')} it and would break:
          </p>
          <ul>
            {breaks.map((found) => (
              <li key={`${found.path}:${found.line}`} className="mono">
                {found.path}:{found.line} <span>{found.text}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

type Props = { project: string; graph: Graph; ids: readonly string[]; onRemoved: () => void; onClose: () => void };

/** Asks before nodes are removed, and says what would break. */
export function RemoveNodes({ project, graph, ids, onRemoved, onClose }: Props) {
  const remove = useRemoveNodes(project);
  const nodes = graph.nodes.filter((node) => ids.includes(node.unique_id));
  const gone = new Set(nodes.map((node) => node.path));
  // What reads others goes before what it reads: so nothing breaks in between.
  const ordered = nodes.map((node) => node.unique_id).toReversed();
  const [only] = nodes;
  if (!only) return null;
  return (
    <Dialog open onOpenChange={onClose} title={nodes.length === 1 ? `Remove ${only.name}?` : `Remove ${nodes.length} nodes?`}>
      <p className="muted">The files go from the branch; the history keeps them.</p>
      {nodes.map((node) => (
        <Removal key={node.unique_id} project={project} node={node} gone={gone} />
      ))}
      {remove.error && <ProblemNote problem={asProblem(remove.error)} />}
      <DialogFoot>
        <Button onClick={onClose}>Keep {nodes.length === 1 ? 'it' : 'them'}</Button>
        <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate({ ids: ordered, baseVersion: graph.version }, { onSuccess: onRemoved })}>
          Remove
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
