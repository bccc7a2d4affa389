import { asProblem } from '@/api/client';
import { useRemoveNode } from '@/api/commands';
import type { NodeDetail } from '@/api/schema';
import { Button } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';
import { plural } from '@/lib/format';

type Props = { project: string; node: NodeDetail; onRemoved: () => void; onClose: () => void };

/** Asks before a node is removed, and says what would break. */
export function Remove({ project, node, onRemoved, onClose }: Props) {
  const remove = useRemoveNode(project);
  const users = [...node.children, ...node.exposures];
  return (
    <Dialog open onOpenChange={onClose} title={`Remove ${node.name}?`}>
      <p>
        <span className="mono">{node.path}</span> and its YAML entry go{node.tests.length > 0 && `, with ${plural(node.tests.length, 'test')}`}. The history keeps them.
      </p>
      {users.length > 0 && (
        <div>
          <p>{plural(users.length, 'node needs', 'nodes need')} it and would break:</p>
          <ul>
            {users.map((id) => (
              <li key={id} className="mono muted">
                {id}
              </li>
            ))}
          </ul>
        </div>
      )}
      {remove.error && <ProblemNote problem={asProblem(remove.error)} />}
      <DialogFoot>
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate({ unique_id: node.unique_id, baseVersion: node.version }, { onSuccess: onRemoved })}>
          Remove
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
