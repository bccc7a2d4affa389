import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useDeclareSource } from '@/api/commands';
import { useEditPreview } from '@/api/queries';
import type { Graph } from '@/api/schema';
import { TextArea, TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Changes } from '@/components/ui/changes';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';
import { useSettled } from '@/lib/use-settled';

import styles from './edit.module.css';

type Props = { project: string; graph: Graph; onDeclared: (uniqueId: string) => void; onClose: () => void };

/** Declares tables that something else loads, so that models can read them; shows what that writes. */
export function DeclareSource({ project, graph, onDeclared, onClose }: Props) {
  const [source, setSource] = useState('');
  const [schema, setSchema] = useState('');
  const [typed, setTyped] = useState('');
  const declare = useDeclareSource(project);
  const tables = typed.split(/[\s,]+/).filter((table) => table !== '');
  const members = { source: source.trim(), schema: schema.trim() || null, database: null, tables };
  const isReady = members.source !== '' && tables.length > 0;
  const settled = useSettled({ isReady, members });
  const preview = useEditPreview(project, settled.isReady ? { type: 'declare_source', ...settled.members } : null);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const own = graph.nodes.find((node) => node.resource_type === 'model')?.package ?? '';
    const onSuccess = () => onDeclared(`source.${own}.${members.source}.${tables[0] ?? ''}`);
    declare.mutate({ ...members, baseVersion: graph.version }, { onSuccess });
  };
  const problem = declare.error ?? (isReady ? preview.error : null);
  return (
    <Dialog open onOpenChange={onClose} title="Declare a source" wide>
      <form onSubmit={submit} className={styles.form}>
        <div className={styles.two}>
          <div className={styles.stack}>
            <TextField label="Source" className="mono" hint="As source() calls name it, e.g. shop." value={source} onChange={(event) => setSource(event.target.value)} autoFocus />
            <TextField label="Schema" className="mono" hint="Where the tables are; the source’s name unless given." value={schema} onChange={(event) => setSchema(event.target.value)} />
          </div>
          <TextArea label="Tables" className="mono" rows={5} hint="Their names, apart by spaces, commas or lines." value={typed} onChange={(event) => setTyped(event.target.value)} />
        </div>
        {problem && <ProblemNote problem={asProblem(problem)} />}
        {isReady && preview.data && (
          <div className={styles.preview}>
            <Changes files={preview.data.files} label="What it writes" />
          </div>
        )}
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" busy={declare.isPending} disabled={!isReady}>
            Declare
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
