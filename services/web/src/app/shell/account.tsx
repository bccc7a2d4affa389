import { type SyntheticEvent, useState } from 'react';

import { TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Popover } from '@/components/ui/overlay';
import { actor, nameActor } from '@/lib/actor';
import { colourOf } from '@/lib/people';
import { useStore } from '@/lib/store';
import { type Theme, chooseTheme, theme } from '@/lib/theme';

import styles from './shell.module.css';

const THEMES: [Theme, string][] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

function ThemeChoice() {
  const chosen = useStore(theme);
  return (
    <fieldset style={{ border: 0, padding: 0 }}>
      <legend style={{ fontWeight: 500, fontSize: 12, marginBottom: 4 }}>Theme</legend>
      {THEMES.map(([value, label]) => (
        <label key={value} style={{ display: 'flex', gap: 8, padding: '3px 0' }}>
          <input type="radio" name="theme" checked={chosen === value} onChange={() => chooseTheme(value)} />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

/** Says under which name the history knows this user, and lets them change it and the theme. */
export function Account() {
  const name = useStore(actor);
  const [typed, setTyped] = useState(name);
  const [open, setOpen] = useState(false);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    nameActor(typed);
    setOpen(false);
  };
  const label = name === '' ? 'Your name and settings: no name yet' : `Your name and settings: ${name}`;
  const trigger = (
    <button type="button" className={styles.avatar} style={name === '' ? undefined : { background: colourOf(name), color: '#fff' }} aria-label={label} title={name === '' ? 'Who are you?' : name}>
      {name === '' ? '?' : name.slice(0, 1).toUpperCase()}
    </button>
  );
  const nobody = (
    <button type="button" className={styles.nobody} title="The history names you by it">
      Who are you?
    </button>
  );
  return (
    <Popover trigger={name === '' ? nobody : trigger} open={open} onOpenChange={setOpen} label="Your name and settings">
      <form onSubmit={submit} style={{ display: 'grid', gap: 8 }}>
        <TextField
          label="Your name"
          hint="The history says it beside what you do."
          value={typed}
          maxLength={60}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button type="submit">Save</Button>
      </form>
      <ThemeChoice />
    </Popover>
  );
}
