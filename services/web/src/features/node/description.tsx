import { type KeyboardEvent, useState } from 'react';

import { Button } from '@/components/ui/button';

import styles from './columns.module.css';

type Props = { label: string; text: string; busy: boolean; onSave: (text: string, done: () => void) => void };

/** Shows a description, and lets the user write it in its place. */
export function Description({ label, text, busy, onSave }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const close = () => setTyped(null);
  if (typed === null) {
    return (
      <button type="button" className={styles.said} data-empty={text === '' || undefined} aria-label={`${label}: ${text === '' ? 'none' : text}. Edit`} onClick={() => setTyped(text)}>
        {text === '' ? 'Describe…' : text}
      </button>
    );
  }
  const save = () => (typed === text ? close() : onSave(typed, close));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div>
      <textarea className={styles.write} autoFocus aria-label={label} value={typed} onChange={(event) => setTyped(event.target.value)} onKeyDown={onKeyDown} />
      <div className={styles.row}>
        <Button look="primary" busy={busy} onClick={save}>
          Save
        </Button>
        <Button onClick={close}>Cancel</Button>
      </div>
    </div>
  );
}
