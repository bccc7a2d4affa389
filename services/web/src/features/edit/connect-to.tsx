import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useConnect } from '@/api/commands';
import { useEditPreview } from '@/api/queries';
import type { Graph } from '@/api/schema';
import { Button } from '@/components/ui/button';
import { Changes } from '@/components/ui/changes';
import { NodePicker, type Pickable, pickName } from '@/components/ui/node-picker';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';

import styles from './edit.module.css';

const READABLE = new Set(['source', 'seed', 'snapshot', 'model']);
const READING = new Set(['snapshot', 'model', 'exposure', 'analysis']);

type Props = { project: string; graph: Graph; id: string; onClose: () => void };

/** Connects a node by keyboard: chooses what it reads, or what reads it, and shows what that writes. */
export function ConnectTo({ project, graph, id, onClose }: Props) {
  const node = graph.nodes.find((known) => known.unique_id === id);
  const [direction, setDirection] = useState<'reads' | 'feeds'>(node?.resource_type === 'source' || node?.resource_type === 'seed' ? 'feeds' : 'reads');
  const [other, setOther] = useState<Pickable>();
  const connect = useConnect(project);
  const [from, to] = direction === 'reads' ? [other?.unique_id, id] : [id, other?.unique_id];
  const preview = useEditPreview(project, from !== undefined && to !== undefined ? { type: 'connect', from, to } : null);
  if (!node) return null;
  const kinds = direction === 'reads' ? READABLE : READING;
  const nodes = graph.nodes.filter((known) => kinds.has(known.resource_type) && known.unique_id !== id);
  const submit = () => {
    if (from !== undefined && to !== undefined) connect.mutate({ from, to, baseVersion: graph.version }, { onSuccess: onClose });
  };
  const problem = connect.error ?? preview.error;
  return (
    <Dialog open onOpenChange={onClose} title={`Connect ${node.name}`}>
      <div className={styles.connect}>
        <fieldset className={styles.choice}>
          <legend className="only-heard">Direction</legend>
          {(['reads', 'feeds'] as const).map((value) => (
            <label key={value}>
              <input
                type="radio"
                name="direction"
                checked={direction === value}
                onChange={() => {
                  setDirection(value);
                  setOther(undefined);
                }}
              />
              {value === 'reads' ? 'It reads…' : 'It is read by…'}
            </label>
          ))}
        </fieldset>
        <NodePicker key={direction} label={direction === 'reads' ? 'What it reads' : 'What reads it'} nodes={nodes} onPick={setOther} autoFocus />
        {other && (
          <p>
            <b className="mono">{direction === 'reads' ? pickName(other) : node.name}</b> → <b className="mono">{direction === 'reads' ? node.name : pickName(other)}</b>
          </p>
        )}
        {problem && <ProblemNote problem={asProblem(problem)} />}
        {preview.data && (
          <div className={styles.preview}>
            <Changes files={preview.data.files} label="What it writes" />
          </div>
        )}
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={connect.isPending} disabled={!preview.data} onClick={submit}>
            Connect
          </Button>
        </DialogFoot>
      </div>
    </Dialog>
  );
}
