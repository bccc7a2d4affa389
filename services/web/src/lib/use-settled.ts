import { useEffect, useState } from 'react';

/** How long after the last key something is asked for. */
const SETTLE_MS = 250;

/** Answers a value once it stays the same for a moment. */
export function useSettled<T>(value: T): T {
  const text = JSON.stringify(value);
  const [settled, setSettled] = useState({ text, value });
  useEffect(() => {
    if (settled.text === text) return;
    const timer = setTimeout(() => setSettled({ text, value }), SETTLE_MS);
    return () => clearTimeout(timer);
  });
  return settled.value;
}
