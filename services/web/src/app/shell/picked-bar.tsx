import { Button } from '@/components/ui/button';
import { CloseIcon, PlayIcon } from '@/components/ui/icons';
import { plural } from '@/lib/format';

import styles from './shell.module.css';

type Props = { count: number; onRun: () => void; onSelect: () => void; onAdd: () => void; onRemove: () => void; onLetGo: () => void };

/** Offers what can be done with several nodes at once. */
export function PickedBar({ count, onRun, onSelect, onAdd, onRemove, onLetGo }: Props) {
  return (
    <div className={styles.picked} role="toolbar" aria-label={`${plural(count, 'node')} picked`}>
      <b>{plural(count, 'node')}</b>
      <Button look="quiet" onClick={onRun}>
        <PlayIcon size={12} /> Run them
      </Button>
      <Button look="quiet" onClick={onSelect}>
        --select them
      </Button>
      <Button look="quiet" onClick={onAdd}>
        Join in a new node
      </Button>
      <Button look="quiet" onClick={onRemove}>
        Remove…
      </Button>
      <Button look="icon" aria-label="Let go of them" onClick={onLetGo}>
        <CloseIcon size={14} />
      </Button>
    </div>
  );
}
