import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useMoveFile, useRemoveFile } from '@/api/commands';
import { TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ChevronIcon } from '@/components/ui/icons';
import { Dialog, DialogFoot, Menu, MenuItem } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';

import type { Asked } from './files';

type Of = { project: string; path: string; baseVersion: number; onMoved: (path: string | undefined) => void };

function Move({ project, path, baseVersion, onMoved, onClose }: Of & { onClose: () => void }) {
  const [to, setTo] = useState(path);
  const move = useMoveFile(project);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const onSuccess = () => {
      onClose();
      onMoved(to);
    };
    move.mutate({ path, to, baseVersion }, { onSuccess });
  };
  return (
    <Dialog open onOpenChange={onClose} title="Move or rename the file">
      <form onSubmit={submit} style={{ display: 'grid', gap: 16 }}>
        <TextField label="Path" className="mono" value={to} onChange={(event) => setTo(event.target.value)} autoFocus />
        {move.error && <ProblemNote problem={asProblem(move.error)} />}
        <DialogFoot>
          <Button look="primary" type="submit" busy={move.isPending} disabled={to.trim() === '' || to === path}>
            Move
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

function Remove({ project, path, baseVersion, onMoved, onClose }: Of & { onClose: () => void }) {
  const remove = useRemoveFile(project);
  const onSuccess = () => {
    onClose();
    onMoved(undefined);
  };
  return (
    <Dialog open onOpenChange={onClose} title="Remove the file?">
      <p>
        <span className="mono">{path}</span> goes from the branch; its history stays.
      </p>
      {remove.error && <ProblemNote problem={asProblem(remove.error)} />}
      <DialogFoot>
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate({ path, baseVersion }, { onSuccess })}>
          Remove
        </Button>
      </DialogFoot>
    </Dialog>
  );
}

/** Moves and removes a file. */
export function FileMenu({ asked, onAsk, ...of }: Of & { asked: Asked; onAsk: (asked: Asked) => void }) {
  const close = () => onAsk(null);
  const trigger = (
    <Button look="icon" aria-label="More for this file">
      <ChevronIcon size={14} />
    </Button>
  );
  return (
    <>
      <Menu trigger={trigger} align="end">
        <MenuItem onSelect={() => onAsk('move')}>Move or rename…</MenuItem>
        <MenuItem onSelect={() => onAsk('remove')}>Remove…</MenuItem>
      </Menu>
      {asked === 'move' && <Move {...of} onClose={close} />}
      {asked === 'remove' && <Remove {...of} onClose={close} />}
    </>
  );
}
