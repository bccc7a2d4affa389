import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useAddNode } from '@/api/commands';
import { useEditPreview } from '@/api/queries';
import type { Graph, GraphNode } from '@/api/schema';
import { TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Changes } from '@/components/ui/changes';
import { CloseIcon } from '@/components/ui/icons';
import { NodePicker, pickName } from '@/components/ui/node-picker';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';
import { useSettled } from '@/lib/use-settled';

import styles from './edit.module.css';
import { TEMPLATES, freeName, templateFor } from './templates';

const READABLE = new Set(['source', 'seed', 'snapshot', 'model']);

type Props = {
  project: string;
  graph: Graph;
  /** The unique_ids of what it reads, to begin with. */
  from: readonly string[];
  onAdded: (uniqueId: string) => void;
  /** Declares a source instead. */
  onSource: () => void;
  onClose: () => void;
};

function Reads({ reads, onDrop }: { reads: readonly GraphNode[]; onDrop: (id: string) => void }) {
  if (reads.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label="What it reads">
      {reads.map((node) => (
        <li key={node.unique_id} className="mono">
          {pickName(node)}
          <button type="button" aria-label={`Do not read ${pickName(node)}`} onClick={() => onDrop(node.unique_id)}>
            <CloseIcon size={10} />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Adds a model: its layer, what it reads, its name as the layer has it; shows the file before it is written. */
export function AddNode({ project, graph, from, onAdded, onSource, onClose }: Props) {
  const [ids, setIds] = useState(() => from.filter((id) => graph.nodes.some((node) => node.unique_id === id && READABLE.has(node.resource_type))));
  const reads = ids.flatMap((id) => graph.nodes.find((node) => node.unique_id === id) ?? []);
  const [chosen, setChosen] = useState(() => templateFor(reads).id);
  const [typed, setTyped] = useState<string>();
  const add = useAddNode(project);
  const template = TEMPLATES.find(({ id }) => id === chosen) ?? TEMPLATES[0];
  const name = typed ?? freeName(template.name(reads), new Set(graph.nodes.map((node) => node.name)));
  const members = { name: name.trim(), layer: template.layer, from: ids };
  const settled = useSettled(members);
  const preview = useEditPreview(project, settled.name === '' ? null : { type: 'add_node', ...settled });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const onSuccess = () => {
      onAdded(`model.${graph.nodes.find((node) => node.resource_type === 'model')?.package ?? ''}.${members.name}`);
    };
    add.mutate({ ...members, baseVersion: graph.version }, { onSuccess });
  };
  const problem = add.error ?? preview.error;
  const others = graph.nodes.filter((node) => READABLE.has(node.resource_type) && !ids.includes(node.unique_id));
  return (
    <Dialog open onOpenChange={onClose} title="Add a node" wide>
      <form onSubmit={submit} className={styles.form}>
        <fieldset className={styles.templates}>
          <legend>What it is</legend>
          {TEMPLATES.map((option) => (
            <label key={option.id} data-chosen={option.id === chosen || undefined}>
              <input type="radio" name="template" value={option.id} checked={option.id === chosen} onChange={() => setChosen(option.id)} />
              <b>{option.label}</b>
              <span>{option.says}</span>
            </label>
          ))}
        </fieldset>
        <div className={styles.two}>
          <div className={styles.stack}>
            <NodePicker label="Reads" hint="Each becomes an import CTE. None is fine too." nodes={others} onPick={(node) => setIds([...ids, node.unique_id])} />
            <Reads reads={reads} onDrop={(id) => setIds(ids.filter((known) => known !== id))} />
          </div>
          <TextField label="Name" className="mono" hint="As dbt's style guide names this layer; change it as you like." value={name} onChange={(event) => setTyped(event.target.value)} autoFocus />
        </div>
        {problem && <ProblemNote problem={asProblem(problem)} />}
        <div className={styles.preview} aria-busy={preview.isFetching}>
          {preview.data ? <Changes files={preview.data.files} label="What it writes" /> : <p className="muted">{preview.error ? 'Nothing would be written.' : 'Looking at what it would write…'}</p>}
        </div>
        <DialogFoot>
          <Button look="quiet" onClick={onSource}>
            Declare a source instead
          </Button>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" busy={add.isPending} disabled={members.name === ''}>
            Add {members.name}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
