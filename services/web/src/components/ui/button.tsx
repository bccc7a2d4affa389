import type { ComponentProps } from 'react';

import { classes } from '@/lib/class-names';

import styles from './button.module.css';

type Look = 'plain' | 'primary' | 'danger' | 'quiet' | 'icon' | 'link';

const LOOKS: Record<Look, string | undefined> = {
  plain: '',
  primary: styles.primary,
  danger: styles.danger,
  quiet: styles.quiet,
  icon: classes(styles.quiet, styles.icon),
  link: styles.link,
};

/** Answers the class of something that looks like a button and is a link. */
export function buttonClass(look: Look = 'plain'): string {
  return classes(styles.button, LOOKS[look]);
}

/** Is a button. One whose work is under way says so and takes no second press. */
export function Button({ look = 'plain', busy = false, className, disabled, ...rest }: ComponentProps<'button'> & { look?: Look; busy?: boolean }) {
  return (
    <button
      type="button"
      className={classes(buttonClass(look), className)}
      aria-busy={busy || undefined}
      disabled={disabled === true || busy}
      {...rest}
    />
  );
}
