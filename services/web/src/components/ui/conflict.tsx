import { Suspense, lazy, useState } from 'react';

import type { Language } from '@/components/editor/editor';

import { SkeletonLines } from './bits';
import { Button } from './button';
import styles from './conflict.module.css';
import { Dialog, DialogFoot } from './overlay';

const Merge = lazy(() => import('@/components/editor/merge'));

type Props = {
  /** Who changed what, as the refusal says it. */
  detail: string;
  theirs: string;
  mine: string;
  language: Language;
  busy: boolean;
  /** Saves a text over theirs: mine as it is, or merged by hand. */
  onSave: (text: string) => void;
  onTheirs: () => void;
  /** Goes back to the editor; what was typed stays a draft. */
  onClose: () => void;
};

/** Lets the user choose where two people changed the same lines: theirs, mine, or both, merged side by side. */
export function Conflict({ detail, theirs, mine, language, busy, onSave, onTheirs, onClose }: Props) {
  const [text, setText] = useState(mine);
  const isMerged = text !== mine;
  return (
    <Dialog open onOpenChange={onClose} title="Two edits of the same lines" wide>
      <p role="alert">
        <span aria-hidden="true">! </span>
        {detail}
      </p>
      <div className={styles.merge}>
        <div className={styles.names}>
          <b>Theirs, saved</b>
          <b>Mine{isMerged ? ', merged' : ''}</b>
        </div>
        <Suspense fallback={<SkeletonLines lines={8} label="Loading the two texts" />}>
          <Merge theirs={theirs} mine={mine} language={language} onChange={setText} />
        </Suspense>
      </div>
      <p className="muted">To merge, take theirs over by the arrows between the texts, or write into mine.</p>
      <DialogFoot>
        <Button onClick={onTheirs}>Take theirs</Button>
        <Button look="primary" busy={busy} onClick={() => onSave(text)}>
          {isMerged ? 'Save the merge' : 'Save mine'}
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
