import { readLocal, writeLocal } from './local';
import { createStore } from './store';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'dvt.theme';
const systemIsDark = () => matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme {
  const kept = readLocal(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Holds the theme that the user chose. */
export const theme = createStore<Theme>(chosen());

function paint(): void {
  const wanted = theme.get();
  const dark = wanted === 'dark' || (wanted === 'system' && systemIsDark().matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

/** Chooses a theme and remembers it. */
export function chooseTheme(next: Theme): void {
  writeLocal(KEY, next === 'system' ? null : next);
  theme.set(next);
}

/** Keeps the page in the chosen theme, also when the system's changes. */
export function watchTheme(): void {
  theme.subscribe(paint);
  systemIsDark().addEventListener('change', paint);
  paint();
}
