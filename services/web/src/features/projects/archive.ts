import type { Archive } from '@/api/mutations';

/** Folders that no dbt project is made of, and that can be very large: they are not even read. */
const NEVER_READ = new Set(['.git', 'node_modules', '.venv', 'venv', '__pycache__']);

/** Is one file of a folder, with its path from the folder's top. */
export interface Found {
  path: string;
  file: File;
}

/** Answers whether a file of a folder belongs into the archive. */
export function isRead(path: string): boolean {
  return !path.split('/').some((segment) => NEVER_READ.has(segment));
}

/** Answers the kind of an archive by its name; undefined for what is none. */
export function archiveType(name: string): Archive['type'] | undefined {
  if (/\.zip$/i.test(name)) return 'application/zip';
  return /\.(tgz|tar\.gz)$/i.test(name) ? 'application/gzip' : undefined;
}

async function entries(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

async function walk(entry: FileSystemEntry, path: string, into: Found[]): Promise<void> {
  if (!isRead(path)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    into.push({ path, file });
    return;
  }
  for (const child of await entries((entry as FileSystemDirectoryEntry).createReader())) {
    await walk(child, `${path}/${child.name}`, into);
  }
}

/** A program's first two bytes: such a file was probably executable, which a browser does not tell. */
const HASH_BANG = [0x23, 0x21];

async function zipped(found: Found[]): Promise<{ bytes: Uint8Array<ArrayBuffer>; programs: string[] }> {
  const { zip } = await import('fflate');
  const files: Record<string, Uint8Array> = {};
  for (const { path, file } of found) files[path] = new Uint8Array(await file.arrayBuffer());
  const programs = Object.keys(files).filter((path) => HASH_BANG.every((byte, at) => files[path]?.[at] === byte));
  const bytes = await new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) =>
    zip(files, { level: 4 }, (error, content) => (error ? reject(error) : resolve(content))),
  );
  return { bytes, programs };
}

async function ofFiles(found: Found[]): Promise<Archive> {
  const [first] = found;
  if (!first) throw new Error('there are no files in it');
  const type = archiveType(first.file.name);
  if (found.length === 1 && type) {
    return { bytes: new Uint8Array(await first.file.arrayBuffer()), type, source: first.file.name };
  }
  const top = first.path.split('/')[0] ?? 'a folder';
  return { ...(await zipped(found)), type: 'application/zip', source: top };
}

/** Makes an archive of what was dropped: an archive as it is, a folder zipped. */
export async function ofDrop(items: DataTransferItemList): Promise<Archive> {
  // The list is emptied when the event ends: all of it is taken before anything is awaited. What is no entry is a file.
  const dropped = [...items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile()).filter((one) => one !== null);
  const found: Found[] = [];
  for (const one of dropped) {
    if (one instanceof File) found.push({ path: one.name, file: one });
    else await walk(one, one.name, found);
  }
  return ofFiles(found);
}

/** Makes an archive of what was chosen in the file dialog. */
export async function ofChosen(files: FileList): Promise<Archive> {
  const found = [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return ofFiles(found.filter(({ path }) => isRead(path)));
}
