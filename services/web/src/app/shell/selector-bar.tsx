import { useEffect, useState } from 'react';

import { asProblem } from '@/api/client';
import { useGraph, useSelection } from '@/api/queries';

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

/** Takes dbt's `--select`: what it finds stands out in the graph and is what Run runs. */
export function SelectorBar() {
  const { search, change } = useScope();
  const settled = search.select ?? '';
  const [typed, setTyped] = useState(settled);
  const [last, setLast] = useState(settled);
  const { words, bad } = useCount();
  if (last !== settled) {
    setLast(settled);
    setTyped(settled);
  }
  useEffect(() => {
    if (typed === settled) return;
    const timer = setTimeout(() => void change({ select: typed.trim() || undefined }, true), SETTLE_MS);
    return () => clearTimeout(timer);
  });
  return (
    <div className={styles.select}>
      <label htmlFor="select">--select</label>
      <input
        id="select"
        value={typed}
        spellCheck={false}
        autoComplete="off"
        placeholder="everything"
        aria-describedby="select-count"
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && setTyped('')}
      />
      <em id="select-count" aria-live="polite" className="clip" data-bad={bad || undefined} title={words}>
        {words}
      </em>
    </div>
  );
}
