/** What the browser did not take: it may keep nothing, or is full. This page knows it until it is closed. */
const untaken = new Map<string, string>();

/** Reads what the browser keeps; null where it keeps nothing. */
export function readLocal(key: string): string | null {
  const here = untaken.get(key);
  if (here !== undefined) return here;
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Lets the browser keep a text under a key, or forget it. */
export function writeLocal(key: string, value: string | null): void {
  untaken.delete(key);
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    if (value !== null) untaken.set(key, value);
  }
}
