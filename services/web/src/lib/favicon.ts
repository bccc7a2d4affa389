import type { Tone } from './status';

/** The colours of states on the icon: the same on light and dark tabs. */
const DOTS: Record<Tone, string> = { ok: '#2aa06a', bad: '#d6453b', warn: '#d08a1a', run: '#2f80d8', idle: '#8a93a3' };

/** Shows in the icon of the tab how the last run stands; the plain icon where there is none. */
export function showState(tone: Tone | undefined): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link) return;
  const dot = tone === undefined ? '' : `<circle cx="24" cy="24" r="7" fill="${DOTS[tone]}" stroke="#fff" stroke-width="2"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4b57d6"/><path d="M9 11h5v10H9zM18 8h5v6h-5zM18 18h5v6h-5zM14 16h2v-5h2M16 16v5h2" fill="none" stroke="#fff" stroke-width="1.8" stroke-linejoin="round"/>${dot}</svg>`;
  link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
