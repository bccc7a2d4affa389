import { useNavigate } from '@tanstack/react-router';
import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useCreateProject } from '@/api/mutations';
import { TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';

/** Makes an empty project. */
export function NewProject({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const [name, setName] = useState('');
  const create = useCreateProject();
  const navigate = useNavigate();
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate(
      { name: name.trim(), template: 'empty' },
      { onSuccess: ({ project_id }) => void navigate({ to: '/projects/$project', params: { project: project_id } }) },
    );
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Empty project">
      <form onSubmit={submit} style={{ display: 'grid', gap: 16 }}>
        <TextField label="Name" hint="A dbt_project.yml and nothing else." value={name} onChange={(event) => setName(event.target.value)} autoFocus />
        {create.error && <ProblemNote problem={asProblem(create.error)} />}
        <DialogFoot>
          <Button look="primary" type="submit" busy={create.isPending} disabled={name.trim() === ''}>
            Create
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
