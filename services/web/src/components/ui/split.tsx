import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';

import { readLocal, writeLocal } from '@/lib/local';

import styles from './split.module.css';

type Props = {
  /** Under what the browser remembers the width. */
  name: string;
  label: string;
  initial: number;
  min: number;
  /** How much of the main part stays at least. */
  rest: number;
  main: ReactNode;
  /** What stands at the side; null for nothing. */
  side: ReactNode;
  /** Gives the side all but the rest. */
  wide?: boolean;
};

const STEP = 24;

/** Shows two parts beside each other; the bar between them moves by mouse and by arrow keys. */
export function Split({ name, label, initial, min, rest, main, side, wide = false }: Props) {
  const [width, setWidth] = useState(() => Number(readLocal(`dvt.split.${name}`)) || initial);
  const resize = (wanted: number) => {
    const next = Math.round(Math.max(min, Math.min(wanted, window.innerWidth - rest)));
    setWidth(next);
    writeLocal(`dvt.split.${name}`, String(next));
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) resize(window.innerWidth - event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    resize(width + step);
  };
  const aside = useRef<HTMLDivElement>(null);
  const hasSide = side !== null;
  // What floats over the page stands over its main part.
  useEffect(() => {
    const { style } = document.documentElement;
    style.setProperty('--side', `${hasSide ? (aside.current?.offsetWidth ?? 0) : 0}px`);
    return () => void style.removeProperty('--side');
  }, [hasSide, width, wide]);
  if (!hasSide) return <div className={styles.split}>{main}</div>;
  return (
    <div className={styles.split} style={{ gridTemplateColumns: wide ? `${rest}px 1px minmax(0, 1fr)` : `minmax(0, 1fr) 1px min(${width}px, calc(100% - ${rest}px))` }}>
      {main}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a separator that can be focused is a widget */}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label={label}
        aria-valuenow={width}
        aria-valuemin={min}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className={styles.bar}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onKeyDown={onKeyDown}
      />
      <div ref={aside}>{side}</div>
    </div>
  );
}
