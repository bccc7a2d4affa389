import { type SyntheticEvent, useId, useState } from 'react';

import { asProblem } from '@/api/client';
import { useAddTest } from '@/api/commands';
import { useEditPreview, useNames } from '@/api/queries';
import type { Callable, NodeDetail } from '@/api/schema';
import { TextField } from '@/components/ui/bits';
import bits from '@/components/ui/bits.module.css';
import { Button } from '@/components/ui/button';
import { Changes } from '@/components/ui/changes';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';
import { useSettled } from '@/lib/use-settled';

import { NEEDED, argumentHint, argumentValue, orderedArguments } from './test-arguments';

type Props = { project: string; environment: string; node: NodeDetail; column: string | null; onClose: () => void };

/** What there is before the names are read. */
const USUAL: readonly Callable[] = [
  { name: 'not_null', package: 'dbt', arguments: [], description: '' },
  { name: 'unique', package: 'dbt', arguments: [], description: '' },
];

function fullName({ name, package: owner }: Callable, own: string): string {
  return owner === 'dbt' || owner === own ? name : `${owner}.${name}`;
}

function useTests(project: string, environment: string, own: string): { id: string; test: Callable }[] {
  const { data } = useNames(project, environment);
  return (data?.tests ?? USUAL).map((test) => ({ id: fullName(test, own), test }));
}

/** Adds a test to a node or to one of its columns: one of those that the project can use, with its arguments. */
export function AddTest({ project, environment, node, column, onClose }: Props) {
  const id = useId();
  const tests = useTests(project, environment, node.package);
  const has = node.columns.find(({ name }) => name === column)?.tests.map(({ name }) => name) ?? [];
  const missing = USUAL.find(({ name }) => !has.includes(name));
  const [chosen, setChosen] = useState(column === null ? '' : (missing?.name ?? ''));
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [warns, setWarns] = useState(false);
  const add = useAddTest(project);
  const test = tests.find(({ id }) => id === chosen)?.test;
  const names = test ? orderedArguments(test.name, test.arguments) : [];
  const given = Object.fromEntries(names.flatMap((name) => {
    const value = argumentValue(name, typed[name] ?? '');
    return value === undefined ? [] : [[name, value]];
  }));
  const isReady = test !== undefined && (NEEDED[test.name] ?? []).every((name) => name in given);
  const members = {
    unique_id: node.unique_id,
    column,
    test: chosen,
    ...(Object.keys(given).length > 0 && { arguments: given }),
    ...(warns && { config: { severity: 'warn' } }),
  };
  const settled = useSettled({ isReady, members });
  const preview = useEditPreview(project, settled.isReady ? ({ type: 'add_test', ...settled.members }) : null);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (isReady) add.mutate({ ...members, baseVersion: node.version }, { onSuccess: onClose });
  };
  const problem = add.error ?? (isReady ? preview.error : null);
  const owners = [...new Set(tests.map(({ test: { package: owner } }) => owner))];
  return (
    <Dialog open onOpenChange={onClose} title={column === null ? `Test ${node.name}` : `Test ${column}`}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 16 }}>
        <div className={bits.field}>
          <label htmlFor={id}>Test</label>
          <select id={id} className={bits.input} value={chosen} autoFocus onChange={(event) => setChosen(event.target.value)}>
            {chosen === '' && <option value="">Choose one</option>}
            {owners.map((owner) => (
              <optgroup key={owner} label={owner}>
                {tests.filter(({ test: { package: of } }) => of === owner).map(({ id }) => (
                  <option key={id} value={id}>
                    {id}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
          {test?.description && <span className={bits.hint}>{test.description}</span>}
        </div>
        {names.map((name) => (
          <TextField key={name} label={name} className="mono" hint={argumentHint(name)} value={typed[name] ?? ''} onChange={(event) => setTyped({ ...typed, [name]: event.target.value })} />
        ))}
        <label style={{ display: 'flex', gap: 8, fontSize: 12 }}>
          <input type="checkbox" checked={warns} onChange={(event) => setWarns(event.target.checked)} />
          Only warn when it finds rows
        </label>
        {problem && <ProblemNote problem={asProblem(problem)} />}
        {isReady && preview.data && <Changes files={preview.data.files} label="What it writes" />}
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" busy={add.isPending} disabled={!isReady}>
            Add the test
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
