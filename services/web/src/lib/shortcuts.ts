import { useEffect } from 'react';

export interface Shortcut {
  /** As the help shows it, e.g. `Ctrl K`, `/`. */
  keys: string;
  does: string;
  run: () => void;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;
}

function fits(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split(' ');
  const key = parts.pop() ?? '';
  const control = event.ctrlKey || event.metaKey;
  if (control !== parts.includes('Ctrl')) return false;
  if (parts.includes('Shift') !== event.shiftKey && key.length > 1) return false;
  return event.key.toLowerCase() === key.toLowerCase();
}

/** Listens to shortcuts anywhere on the page; those without Ctrl not where somebody types. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector('[role="dialog"][data-state="open"]')) return;
      const found = shortcuts.find(({ keys }) => fits(event, keys));
      if (!found || (!found.keys.startsWith('Ctrl') && isTyping(event.target))) return;
      event.preventDefault();
      found.run();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [shortcuts]);
}
