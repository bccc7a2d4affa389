import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useAddFile } from '@/api/commands';
import { TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';

type Props = { project: string; baseVersion: number; onAdded: (path: string) => void; onClose: () => void };

/** Adds an empty file. */
export function NewFile({ project, baseVersion, onAdded, onClose }: Props) {
  const [path, setPath] = useState('models/');
  const add = useAddFile(project);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const onSuccess = () => {
      onClose();
      onAdded(path);
    };
    add.mutate({ path, text: '', baseVersion }, { onSuccess });
  };
  return (
    <Dialog open onOpenChange={onClose} title="New file">
      <form onSubmit={submit} style={{ display: 'grid', gap: 16 }}>
        <TextField label="Path" className="mono" hint="From the top of the repository, e.g. models/staging/stg_orders.sql" value={path} onChange={(event) => setPath(event.target.value)} autoFocus />
        {add.error && <ProblemNote problem={asProblem(add.error)} />}
        <DialogFoot>
          <Button look="primary" type="submit" busy={add.isPending} disabled={path.trim() === '' || path.endsWith('/')}>
            Add
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
