import { type KeyboardEvent, useId, useMemo, useState } from 'react';

import bits from './bits.module.css';
import styles from './options.module.css';

/** Is what can be picked. */
export interface Pickable {
  unique_id: string;
  name: string;
  resource_type: string;
  source_name?: string | null;
}

/** How many are listed. */
const SHOWN = 8;

/** Answers a node's name as `source()` and `ref()` have it. */
export function pickName({ name, source_name }: Pickable): string {
  return source_name ? `${source_name}.${name}` : name;
}

type Props = { label: string; hint?: string; nodes: readonly Pickable[]; onPick: (node: Pickable) => void; autoFocus?: boolean };

/** Finds a node by its name, by keyboard and by mouse. */
export function NodePicker({ label, hint, nodes, onPick, autoFocus = false }: Props) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(autoFocus);
  const found = useMemo(() => {
    const wanted = typed.trim().toLowerCase();
    const fitting = nodes.filter((node) => pickName(node).toLowerCase().includes(wanted));
    return fitting.sort((a, b) => pickName(a).length - pickName(b).length).slice(0, SHOWN);
  }, [nodes, typed]);
  const pick = (node: Pickable | undefined) => {
    if (!node) return;
    onPick(node);
    setTyped('');
    setAt(0);
    // What was picked stands below it.
    setOpen(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      setOpen(true);
      setAt((at + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter' && open) pick(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <div className={bits.field}>
      <label htmlFor={id}>{label}</label>
      <div style={{ position: 'relative' }}>
        <input
          id={id}
          className={`${bits.input ?? ''} mono`}
          role="combobox"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-activedescendant={open && found[at] ? `${id}-${at}` : undefined}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          autoComplete="off"
          spellCheck={false}
          autoFocus={autoFocus}
          placeholder="Type a part of its name"
          value={typed}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
            setOpen(true);
          }}
          onKeyDown={onKeyDown}
        />
        <ul id={`${id}-list`} role="listbox" aria-label={label} className={styles.popup} hidden={!open || found.length === 0}>
          {found.map((node, place) => (
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field above takes the keys
            <li key={node.unique_id} className={styles.option} id={`${id}-${place}`} role="option" aria-selected={place === at} onMouseDown={(event) => event.preventDefault()} onClick={() => pick(node)}>
              <span className={styles.stripe} style={{ background: `var(--${node.resource_type}, var(--analysis))` }} />
              <span className="mono clip">{pickName(node)}</span>
              <small>{node.resource_type}</small>
            </li>
          ))}
        </ul>
      </div>
      {hint !== undefined && (
        <span id={`${id}-hint`} className={bits.hint}>
          {hint}
        </span>
      )}
    </div>
  );
}
