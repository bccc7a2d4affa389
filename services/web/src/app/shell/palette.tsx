import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useMemo, useState } from 'react';

import { useGraph, useNames, useSearch, useTree } from '@/api/queries';
import { SearchIcon } from '@/components/ui/icons';
import options from '@/components/ui/options.module.css';
import { Dialog } from '@/components/ui/overlay';
import { useSettled } from '@/lib/use-settled';

import { useCommands } from './commands';
import { useScope } from './scope';
import styles from './shell.module.css';

/** How many results are shown. */
const SHOWN = 40;
/** How many names are shown above the lines of files. */
const NAMED = 12;

interface Found {
  id: string;
  label: string;
  kind: string;
  colour?: string;
  /** The shortcut that does the same. */
  keys?: string;
  go: () => void;
}

/** Answers how well a text fits what was typed; null where it does not. Lower is better. */
export function fit(label: string, typed: string): number | null {
  const [text, wanted] = [label.toLowerCase(), typed.toLowerCase()];
  const at = text.indexOf(wanted);
  if (at >= 0) return at + text.length / 100;
  let from = 0;
  for (const character of wanted) {
    const next = text.indexOf(character, from);
    if (next < 0) return null;
    from = next + 1;
  }
  return 100 + text.length / 100;
}

function best(all: Found[], typed: string): Found[] {
  if (typed === '') return all.slice(0, SHOWN);
  const fitting = all.flatMap((found) => {
    const rank = fit(found.label, typed);
    return rank === null ? [] : [{ found, rank }];
  });
  return fitting.sort((a, b) => a.rank - b.rank).slice(0, SHOWN).map(({ found }) => found);
}

function useEverything(typed: string, onHelp: () => void): Found[] {
  const commands = useCommands(typed, onHelp);
  const { project, environment } = useScope();
  const navigate = useNavigate();
  const { data: graph } = useGraph(project, environment);
  const { data: tree } = useTree(project);
  const { data: names } = useNames(project, environment);
  const named = useMemo(() => {
    const nodes = (graph?.nodes ?? []).map((node) => ({
      id: node.unique_id,
      label: node.name,
      kind: node.resource_type === 'source' ? `source ${node.source_name ?? ''}` : node.resource_type,
      colour: `var(--${node.resource_type}, var(--analysis))`,
      go: () => void navigate({ to: '/projects/$project', params: { project }, search: { node: node.unique_id } }),
    }));
    const files = (tree?.files ?? []).map((file) => ({
      id: `file:${file.path}`,
      label: file.path,
      kind: 'file',
      go: () => void navigate({ to: '/projects/$project/files', params: { project }, search: { path: file.path } }),
    }));
    const macros = (names?.macros ?? []).flatMap(({ name, package: owner, place }) =>
      place ? [{ id: `macro:${owner}.${name}`, label: name, kind: `macro ${owner}`, go: () => void navigate({ to: '/projects/$project/files', params: { project }, search: { path: place.path, line: place.line } }) }] : [],
    );
    return { nodes, macros, files };
  }, [graph, tree, names, navigate, project]);
  const able = commands.map(({ label, keys, go }): Found => ({ id: `command:${label}`, label, kind: 'command', go, ...(keys !== undefined && { keys }) }));
  return [...named.nodes, ...able, ...named.macros, ...named.files];
}

/** Answers the lines of all files in which a text stands, once somebody stopped typing. */
function useLines(typed: string): Found[] {
  const { project } = useScope();
  const navigate = useNavigate();
  const { data } = useSearch(project, useSettled(typed));
  return (typed === '' ? [] : (data?.lines ?? [])).map(({ path, line, text }) => ({
    id: `line:${path}:${line}`,
    label: text,
    kind: `${path}:${line}`,
    go: () => void navigate({ to: '/projects/$project/files', params: { project }, search: { path, line } }),
  }));
}

function Results({ found, at, onGo }: { found: Found[]; at: number; onGo: (found: Found) => void }) {
  if (found.length === 0) return <p className={styles.none}>Nothing is called that, and no file says it. Try a part of the name.</p>;
  return (
    <div role="listbox" id="palette-results" aria-label="Results" className={styles.results}>
      {found.map((result, place) => (
        // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field above takes the keys
        <div
          key={result.id}
          id={`palette-${place}`}
          role="option"
          tabIndex={-1}
          aria-selected={place === at}
          className={options.option}
          ref={(element) => {
            if (place === at) element?.scrollIntoView({ block: 'nearest' });
          }}
          onClick={() => onGo(result)}
        >
          <span className={options.stripe} style={{ background: result.colour ?? 'var(--line3)' }} />
          <span className="mono clip">{result.label}</span>
          <small className="clip">{result.kind}</small>
          {result.keys !== undefined && <kbd>{result.keys}</kbd>}
        </div>
      ))}
    </div>
  );
}

type Props = { onClose: () => void; onHelp: () => void };

/** Finds nodes, files and commands by their names, and texts in files. */
export default function Palette({ onClose, onHelp }: Props) {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const named = best(useEverything(typed.trim(), onHelp), typed.trim());
  const lines = useLines(typed.trim());
  const found = [...named.slice(0, lines.length > 0 ? NAMED : SHOWN), ...lines.slice(0, SHOWN)];
  const go = (result: Found) => {
    onClose();
    result.go();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = found[at];
    if (step !== undefined) setAt((at + step + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter' && chosen) go(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog open onOpenChange={onClose} title="Search" bare>
      <div className={styles.palette}>
        <SearchIcon size={16} />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls="palette-results"
          aria-activedescendant={`palette-${at}`}
          aria-label="Search nodes, files, their text, and commands"
          placeholder="A node, a file, a text in one, a command"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <Results found={found} at={at} onGo={go} />
    </Dialog>
  );
}
