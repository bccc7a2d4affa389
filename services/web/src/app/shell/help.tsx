import { Dialog } from '@/components/ui/overlay';

import styles from './shell.module.css';

/** The shortcuts by where they work: what each does, and its keys. */
export const PARTS: [string, [string, ...string[]][]][] = [
  [
    'Anywhere',
    [
      ['Search nodes, files, their text, and commands', '/', 'Ctrl K'],
      ['Run what is selected', 'Ctrl Enter'],
      ['Problems', 'P'],
      ['This help', '?'],
    ],
  ],
  [
    'Graph',
    [
      ['Walk the graph', '←', '→', '↑', '↓'],
      ['Upstream, downstream', '[', ']'],
      ['Focus on the node, two steps each way', 'F'],
      ['Add a node', 'A'],
      ['Connect the node', 'C'],
      ['Rename the node', 'F2'],
      ['Remove the node', 'Del'],
      ['Move the node', 'Alt ←', 'Alt →', 'Alt ↑', 'Alt ↓'],
      ['Pick several nodes', 'Shift ↓', 'Ctrl click'],
      ['Open a group', 'Enter'],
      ['Let go of the node', 'Esc'],
    ],
  ],
  [
    'Editor',
    [
      ['Save', 'Ctrl S'],
      ['Preview the rows', 'Ctrl Enter'],
      ['Preview the CTE at the cursor', 'Alt Enter'],
      ['Save and run the node', 'Ctrl Shift Enter'],
      ['Complete', 'Ctrl Space'],
      ['Go to the definition', 'F12', 'Ctrl click'],
      ['Find in the text', 'Ctrl F'],
    ],
  ],
];

/** Lists the shortcuts. */
export function Help({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard">
      {PARTS.map(([part, shortcuts]) => (
        <section key={part}>
          <h3 style={{ fontSize: 11, color: 'var(--muted)' }}>{part}</h3>
          <dl className={styles.help}>
            {shortcuts.map(([does, ...keys]) => (
              <div key={does} style={{ display: 'contents' }}>
                <dt>{does}</dt>
                <dd>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
