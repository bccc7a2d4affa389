import type { FileEntry } from '@/api/schema';

/** Is a folder or a file of the tree. */
export interface Entry {
  name: string;
  path: string;
  depth: number;
  kind: 'folder' | 'file';
}

interface Folder {
  folders: Map<string, Folder>;
  files: string[];
}

function grow(files: readonly FileEntry[]): Folder {
  const top: Folder = { folders: new Map(), files: [] };
  for (const { path } of files) {
    const segments = path.split('/');
    const name = segments.pop() ?? path;
    let folder = top;
    for (const segment of segments) {
      const next: Folder = folder.folders.get(segment) ?? { folders: new Map(), files: [] };
      folder.folders.set(segment, next);
      folder = next;
    }
    folder.files.push(name);
  }
  return top;
}

/** Lists what a tree shows: folders first, and inside of a folder only where it is open. */
export function entriesOf(files: readonly FileEntry[], isOpen: (folder: string) => boolean): Entry[] {
  const list: Entry[] = [];
  const walk = (folder: Folder, prefix: string, depth: number) => {
    for (const [name, inside] of [...folder.folders].sort(([a], [b]) => a.localeCompare(b))) {
      const path = prefix + name;
      list.push({ name, path, depth, kind: 'folder' });
      if (isOpen(path)) walk(inside, `${path}/`, depth + 1);
    }
    for (const name of [...folder.files].sort((a, b) => a.localeCompare(b))) {
      list.push({ name, path: prefix + name, depth, kind: 'file' });
    }
  };
  walk(grow(files), '', 0);
  return list;
}

/** Answers the folders above a file. */
export function foldersAbove(path: string): string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, at) => segments.slice(0, at + 1).join('/'));
}
