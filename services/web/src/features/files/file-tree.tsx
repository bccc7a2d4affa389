import { useMemo, useState } from 'react';

import type { FileEntry } from '@/api/schema';
import { ChevronIcon, FileIcon, RightIcon } from '@/components/ui/icons';
import { useDraftPaths } from '@/lib/drafts';

import styles from './files.module.css';
import { type Entry, entriesOf, foldersAbove } from './tree';

/** Up to so many files the folders at the top are open. */
const FEW = 200;

type Props = { project: string; files: readonly FileEntry[]; selected: string | undefined; filter: string; onSelect: (path: string) => void };

function Row({ entry, open, current, draft, onPress }: { entry: Entry; open: boolean; current: boolean; draft: boolean; onPress: () => void }) {
  const isFolder = entry.kind === 'folder';
  return (
    <li>
      <button
        type="button"
        className={styles.entry}
        style={{ ['--depth' as string]: entry.depth }}
        aria-current={current}
        aria-expanded={isFolder ? open : undefined}
        title={entry.path}
        onClick={onPress}
      >
        {isFolder ? open ? <ChevronIcon size={12} /> : <RightIcon size={12} /> : <FileIcon size={12} />}
        <span className="clip">{entry.name}</span>
        {draft && <b title="has a draft that is not saved">● draft</b>}
      </button>
    </li>
  );
}

/** Shows the files of a project as a tree, or as a list of those that a filter finds. */
export function FileTree({ project, files, selected, filter, onSelect }: Props) {
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const drafts = new Set(useDraftPaths(project));
  const above = useMemo(() => new Set(foldersAbove(selected ?? '')), [selected]);
  // Folders above the selected file are open, unless somebody closed them; where there are few files, those at the top too.
  const isFew = files.length <= FEW;
  const isOpen = (path: string) => (above.has(path) || (isFew && !path.includes('/'))) !== toggled.has(path);
  const wanted = filter.trim().toLowerCase();
  const entries: Entry[] =
    wanted === ''
      ? entriesOf(files, isOpen)
      : files.filter(({ path }) => path.toLowerCase().includes(wanted)).map(({ path }) => ({ name: path, path, depth: 0, kind: 'file' }));
  const toggle = (path: string) => {
    const next = new Set(toggled);
    if (!next.delete(path)) next.add(path);
    setToggled(next);
  };
  return (
    <ul className={styles.tree} aria-label="Files">
      {entries.map((entry) => (
        <Row
          key={`${entry.kind}:${entry.path}`}
          entry={entry}
          open={isOpen(entry.path)}
          current={entry.path === selected}
          draft={drafts.has(entry.path)}
          onPress={() => (entry.kind === 'folder' ? toggle(entry.path) : onSelect(entry.path))}
        />
      ))}
    </ul>
  );
}
