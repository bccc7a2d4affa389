import { type KeyboardEvent, useEffect, useMemo, useState } from 'react';

import { asProblem } from '@/api/client';
import { useGraph, useSelection } from '@/api/queries';
import options from '@/components/ui/options.module.css';
import { type Choice, completeSelect } from '@/lib/select-complete';

import { useScope } from './scope';
import styles from './shell.module.css';

/** How long after the last key the address takes what was typed. */
const SETTLE_MS = 250;

function useCount(): { words: string; bad: boolean } {
  const { project, environment, search } = useScope();
  const select = search.select ?? '';
  const { data: graph } = useGraph(project, environment);
  const { data: selection, error } = useSelection(project, environment, select);
  if (!graph) return { words: '', bad: false };
  const all = graph.nodes.length;
  if (select === '') return { words: `all ${all} nodes`, bad: false };
  if (error) return { words: asProblem(error).detail, bad: true };
  const found = new Set(selection?.unique_ids);
  const shown = graph.nodes.filter((node) => found.has(node.unique_id)).length;
  return { words: `${shown} of ${all} nodes · Run runs these`, bad: found.size === 0 && selection !== undefined };
}

function Choices({ choices, at, onTake }: { choices: readonly Choice[]; at: number; onTake: (choice: Choice) => void }) {
  return (
    <ul id="select-choices" role="listbox" aria-label="Ways to go on" className={options.popup}>
      {choices.map((choice, place) => (
        // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field takes the keys
        <li key={choice.label} className={options.option} id={`select-${place}`} role="option" aria-selected={place === at} onMouseDown={(event) => event.preventDefault()} onClick={() => onTake(choice)}>
          <span className="mono clip">{choice.label}</span>
          <small>{choice.detail}</small>
        </li>
      ))}
    </ul>
  );
}

/** Answers what the last word can become, while somebody types it. */
function useChoices(typed: string, isOpen: boolean): Choice[] {
  const { project, environment } = useScope();
  const { data: graph } = useGraph(project, environment);
  return useMemo(() => (isOpen && graph ? completeSelect(graph.nodes, typed) : []), [graph, typed, isOpen]);
}

/** Takes dbt's `--select`: what it finds stands out in the graph and is what Run runs. */
export function SelectorBar() {
  const { search, change } = useScope();
  const settled = search.select ?? '';
  const [typed, setTyped] = useState(settled);
  const [last, setLast] = useState(settled);
  /** What the address was asked to take: it takes it late, when more may have been typed. */
  const [sent, setSent] = useState(settled);
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const choices = useChoices(typed, isOpen);
  const { words, bad } = useCount();
  if (last !== settled) {
    setLast(settled);
    if (settled !== sent) {
      setSent(settled);
      setTyped(settled);
    }
  }
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === settled) return;
    const timer = setTimeout(() => {
      setSent(wanted);
      void change({ select: wanted || undefined }, true);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  });
  const type = (text: string, open: boolean) => {
    setTyped(text);
    setOpen(open);
    setAt(-1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const choice = choices[at] ?? (event.key === 'Tab' ? choices[0] : undefined);
    if (step !== undefined && choices.length > 0) setAt((at + step + choices.length) % choices.length);
    else if ((event.key === 'Enter' || event.key === 'Tab') && choice && !event.shiftKey) type(choice.select, false);
    else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) setOpen(false);
    else if (event.key === 'Escape') type(isOpen && choices.length > 0 ? typed : '', false);
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles.select}>
      <label htmlFor="select">--select</label>
      <input
        id="select"
        value={typed}
        spellCheck={false}
        autoComplete="off"
        placeholder="everything"
        role="combobox"
        aria-expanded={choices.length > 0}
        aria-controls="select-choices"
        aria-activedescendant={at >= 0 ? `select-${at}` : undefined}
        aria-describedby="select-count"
        onBlur={() => setOpen(false)}
        onChange={(event) => type(event.target.value, true)}
        onKeyDown={onKeyDown}
      />
      <em id="select-count" aria-live="polite" className="clip" data-bad={bad || undefined} title={words}>
        {words}
      </em>
      {choices.length > 0 && <Choices choices={choices} at={at} onTake={(choice) => type(choice.select, false)} />}
    </div>
  );
}
