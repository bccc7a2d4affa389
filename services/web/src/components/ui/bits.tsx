import type { ComponentProps, CSSProperties, ReactNode } from 'react';
import { useId } from 'react';

import { classes } from '@/lib/class-names';
import { ago, fullTime } from '@/lib/format';
import type { Tone } from '@/lib/status';
import { useNow } from '@/lib/use-now';

import styles from './bits.module.css';

/** Shows a small fact in a frame. */
export function Chip({ className, ...rest }: ComponentProps<'span'>) {
  return <span className={classes(styles.chip, className)} {...rest} />;
}

/** Is a chip that can be pressed. */
export function ChipButton({ className, ...rest }: ComponentProps<'button'>) {
  return <button type="button" className={classes(styles.chip, className)} {...rest} />;
}

/** Says how something stands: always a glyph, a word and a colour together. */
export function Pill({ tone, glyph, children }: { tone: Tone; glyph?: string; children: ReactNode }) {
  return (
    <span className={classes(styles.pill, styles[tone])}>
      {glyph !== undefined && <span aria-hidden="true">{glyph}</span>}
      {children}
    </span>
  );
}

/** Is the glyph of a state; its word is heard, or stands beside it. */
export function Glyph({ tone, glyph, label }: { tone: Tone; glyph: string; label?: string }) {
  return (
    <span className={classes(styles.glyph, styles[tone])} role={label ? 'img' : undefined} aria-label={label} aria-hidden={label ? undefined : true} title={label}>
      {glyph}
    </span>
  );
}

/** Holds the place of what is being loaded. */
export function Skeleton({ width = '100%', height = 14, style }: { width?: number | string; height?: number | string; style?: CSSProperties }) {
  return <div className={styles.skeleton} style={{ width, height, ...style }} aria-hidden="true" />;
}

/** Holds the place of several lines. */
export function SkeletonLines({ lines = 5, label = 'Loading' }: { lines?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} style={{ display: 'grid', gap: 12, padding: 16 }}>
      {Array.from({ length: lines }, (_, at) => (
        <Skeleton key={at} width={`${88 - ((at * 17) % 43)}%`} />
      ))}
    </div>
  );
}

/** Frames a part of a page. */
export function Card({ className, ...rest }: ComponentProps<'div'>) {
  return <div className={classes(styles.card, className)} {...rest} />;
}

/** Says that there is nothing yet, and what can be done about it. */
export function Blank({ title, children, actions, heading: Heading = 'h2' }: { title: string; children?: ReactNode; actions?: ReactNode; heading?: 'h1' | 'h2' }) {
  return (
    <div className={styles.blank}>
      <Heading>{title}</Heading>
      {children !== undefined && <p>{children}</p>}
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}

/** How wide the body of a page is where it takes not all of the window: the same for all, so that none jumps aside. */
const PAGE_WIDTH = 1080;

/** Is the body of a page, with its title. */
export function Page({ title, actions, children, wide = false }: { title: ReactNode; actions?: ReactNode; children: ReactNode; wide?: boolean }) {
  return (
    <div className={styles.page}>
      <div style={{ maxWidth: wide ? undefined : PAGE_WIDTH, margin: '0 auto' }}>
        <div className={styles.title}>
          <h1>{title}</h1>
          {actions}
        </div>
        {children}
      </div>
    </div>
  );
}

type FieldProps = { label: string; hint?: ReactNode; error?: string | undefined };

/** Is a labelled field of one line. */
export function TextField({ label, hint, error, className, ...rest }: FieldProps & ComponentProps<'input'>) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input id={id} className={classes(styles.input, className)} aria-invalid={error !== undefined} aria-describedby={`${id}-hint`} spellCheck={false} autoComplete="off" {...rest} />
      <span id={`${id}-hint`} className={styles.hint} style={error === undefined ? undefined : { color: 'var(--bad)' }}>
        {error ?? hint}
      </span>
    </div>
  );
}

/** Is a labelled field of several lines. */
export function TextArea({ label, hint, className, ...rest }: FieldProps & ComponentProps<'textarea'>) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <textarea id={id} className={classes(styles.input, className)} {...rest} />
      {hint !== undefined && <span className={styles.hint}>{hint}</span>}
    </div>
  );
}

/** Says how long ago a moment is; in full for whoever points at it. */
export function Ago({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={fullTime(at)}>
      {ago(at, now)}
    </time>
  );
}
