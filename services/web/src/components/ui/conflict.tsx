import { Button } from './button';
import styles from './conflict.module.css';

/** Is what a refused edit says of the other one. */
export interface ConflictShown {
  detail: string;
  theirs?: unknown;
  mine?: unknown;
}

type Props = { conflict: ConflictShown; onMine: () => void; onTheirs: () => void };

function Side({ name, text }: { name: string; text: unknown }) {
  return (
    <figure>
      <figcaption>{name}</figcaption>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <pre tabIndex={0}>{typeof text === 'string' && text !== '' ? text : '(nothing)'}</pre>
    </figure>
  );
}

/** Lets the user choose where two people changed the same place: theirs, mine, or both by hand. */
export function Conflict({ conflict, onMine, onTheirs }: Props) {
  return (
    <div role="alert" className={styles.conflict}>
      <p>
        <span aria-hidden="true">! </span>
        {conflict.detail}
      </p>
      <div className={styles.sides}>
        <Side name="Theirs" text={conflict.theirs} />
        <Side name="Mine" text={conflict.mine} />
      </div>
      <p className="muted">To merge, edit your text below and then save mine.</p>
      <div className={styles.buttons}>
        <Button onClick={onMine}>Save mine</Button>
        <Button onClick={onTheirs}>Take theirs</Button>
      </div>
    </div>
  );
}
