import { Dialog as RadixDialog, DropdownMenu, Popover as RadixPopover, Tooltip as RadixTooltip } from 'radix-ui';
import { type ReactNode, useState } from 'react';

import { classes } from '@/lib/class-names';

import { Button } from './button';
import { CloseIcon } from './icons';
import styles from './overlay.module.css';

type DialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** Says more than the title to whoever cannot see the body. */
  description?: string;
  children: ReactNode;
  wide?: boolean;
  /** Leaves out the line with the title, which is heard all the same: what one does here says it. */
  bare?: boolean;
};

/** Lets a dialog have the focus that none of its fields asks for: else its first button has it, which closes it. */
function focusDialog(event: Event): void {
  event.preventDefault();
  if (event.target instanceof HTMLElement) event.target.focus();
}

/** Gives the focus back to what had it, unless something else has taken it: what the dialog led to. */
function giveBack(event: Event, before: Element | null): void {
  event.preventDefault();
  if (document.activeElement === document.body && before instanceof HTMLElement) before.focus();
}

function Frame({ wide, children }: Pick<DialogProps, 'wide' | 'children'>) {
  // Before a field of the dialog takes it.
  const [before] = useState(() => document.activeElement);
  return (
    <RadixDialog.Content
      className={classes(styles.dialog, wide && styles.wide)}
      aria-describedby={undefined}
      onOpenAutoFocus={focusDialog}
      onCloseAutoFocus={(event) => giveBack(event, before)}
    >
      {children}
    </RadixDialog.Content>
  );
}

/** Is a dialog over the page. */
export function Dialog({ open, onOpenChange, title, description, children, wide = false, bare = false }: DialogProps) {
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={styles.scrim} />
        <Frame wide={wide}>
          {bare ? (
            <RadixDialog.Title className="only-heard">{title}</RadixDialog.Title>
          ) : (
            <div className={styles.head}>
              <RadixDialog.Title>{title}</RadixDialog.Title>
              <RadixDialog.Close asChild>
                <Button look="icon" aria-label="Close">
                  <CloseIcon />
                </Button>
              </RadixDialog.Close>
            </div>
          )}
          {description !== undefined && <RadixDialog.Description className="only-heard">{description}</RadixDialog.Description>}
          <div className={bare ? undefined : styles.body}>{children}</div>
        </Frame>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/** Holds a dialog's buttons. */
export function DialogFoot({ children }: { children: ReactNode }) {
  return <div className={styles.foot}>{children}</div>;
}

/** Opens a menu below what is pressed. */
export function Menu({ trigger, children, align = 'start' }: { trigger: ReactNode; children: ReactNode; align?: 'start' | 'end' }) {
  return (
    // Nothing else is hidden while it is open; in the page's main part it belongs to a landmark.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal container={document.querySelector('main')}>
        <DropdownMenu.Content className={styles.menu} align={align} sideOffset={4} collisionPadding={8}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** Is one line of a menu. */
export function MenuItem({ onSelect, disabled = false, children }: { onSelect: () => void; disabled?: boolean; children: ReactNode }) {
  return (
    <DropdownMenu.Item className={styles.item} disabled={disabled} onSelect={onSelect}>
      {children}
    </DropdownMenu.Item>
  );
}

/** Is one line of a menu of which one is chosen. */
export function MenuChoice({ chosen, onSelect, children }: { chosen: boolean; onSelect: () => void; children: ReactNode }) {
  return (
    <DropdownMenu.CheckboxItem className={styles.item} checked={chosen} onSelect={onSelect}>
      <span className={styles.check} aria-hidden="true">
        {chosen ? '✓' : ''}
      </span>
      {children}
    </DropdownMenu.CheckboxItem>
  );
}

/** Names a part of a menu. */
export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className={styles.label}>{children}</DropdownMenu.Label>;
}

/** Parts a menu. */
export function MenuSeparator() {
  return <DropdownMenu.Separator className={styles.separator} />;
}

type PopoverProps = { trigger: ReactNode; children: ReactNode; open?: boolean; onOpenChange?: (open: boolean) => void; label: string };

/** Opens a small panel below what is pressed. */
export function Popover({ trigger, children, open, onOpenChange, label }: PopoverProps) {
  return (
    <RadixPopover.Root {...(open !== undefined && { open })} {...(onOpenChange && { onOpenChange })}>
      <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
      <RadixPopover.Portal>
        <RadixPopover.Content className={styles.popover} align="end" sideOffset={6} collisionPadding={8} aria-label={label}>
          {children}
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}

/** Says more about what is pointed at. */
export function Tooltip({ says, children, side = 'bottom' }: { says: ReactNode; children: ReactNode; side?: 'bottom' | 'right' }) {
  return (
    <RadixTooltip.Root>
      <RadixTooltip.Trigger asChild>{children}</RadixTooltip.Trigger>
      <RadixTooltip.Portal>
        <RadixTooltip.Content className={styles.tooltip} side={side} sideOffset={4} collisionPadding={8}>
          {says}
        </RadixTooltip.Content>
      </RadixTooltip.Portal>
    </RadixTooltip.Root>
  );
}
