import { useState } from 'react';

import { useRemoveTest } from '@/api/commands';
import type { NodeDetail, TestRef } from '@/api/schema';
import { Button } from '@/components/ui/button';
import { CloseIcon } from '@/components/ui/icons';
import { Dialog, DialogFoot } from '@/components/ui/overlay';

import styles from './columns.module.css';
import { OF_A_TEST, Preview } from './preview-tab';
import { useRows } from './use-rows';

/** Writes the arguments of a test as its YAML has them. */
export function argumentWords({ arguments: given }: TestRef): string {
  const words = Object.entries(given).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return words.join(', ');
}

type Of = { project: string; environment: string; node: NodeDetail };

/** Shows one test: what it is given, and the rows that it finds now. */
function TestDialog({ project, environment, node, test, onClose }: Of & { test: TestRef; onClose: () => void }) {
  const remove = useRemoveTest(project);
  const asking = useRows(project, environment, test.unique_id);
  const words = argumentWords(test);
  return (
    <Dialog open onOpenChange={onClose} title={`${test.name}${test.column ? ` of ${test.column}` : ''}`} wide>
      <dl className={styles.facts}>
        <dt>Arguments</dt>
        <dd className="mono">{words === '' ? 'none' : words}</dd>
        <dt>When it finds rows</dt>
        <dd>{test.severity === 'warn' ? 'it warns' : 'it fails'}</dd>
      </dl>
      <section aria-label="Failing rows" className={styles.failing}>
        <Preview asking={asking} words={OF_A_TEST} onAsk={() => asking.ask(null)} />
      </section>
      <DialogFoot>
        <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate({ unique_id: test.unique_id, baseVersion: node.version }, { onSuccess: onClose })}>
          Remove the test
        </Button>
      </DialogFoot>
    </Dialog>
  );
}

/** Lists tests; each opens with its arguments and the rows that it finds. */
export function Tests({ project, environment, node, tests }: Of & { tests: TestRef[] }) {
  const remove = useRemoveTest(project);
  const [open, setOpen] = useState<string>();
  const shown = tests.find((test) => test.unique_id === open);
  return (
    <>
      {tests.map((test) => (
        <span key={test.unique_id} className={styles.test}>
          <button type="button" data-name title={argumentWords(test) || 'Show its failing rows'} onClick={() => setOpen(test.unique_id)}>
            {test.name}
            {test.severity === 'warn' && ' (warns)'}
          </button>
          <button
            type="button"
            aria-label={`Remove the test ${test.name}${test.column ? ` of ${test.column}` : ''}`}
            disabled={remove.isPending}
            onClick={() => remove.mutate({ unique_id: test.unique_id, baseVersion: node.version })}
          >
            <CloseIcon size={10} />
          </button>
        </span>
      ))}
      {shown && <TestDialog project={project} environment={environment} node={node} test={shown} onClose={() => setOpen(undefined)} />}
    </>
  );
}
