import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useAddTest } from '@/api/commands';
import { TextField } from '@/components/ui/bits';
import bits from '@/components/ui/bits.module.css';
import { Button } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';

const TESTS = ['not_null', 'unique', 'accepted_values', 'relationships', 'another'] as const;
type Test = (typeof TESTS)[number];

type Typed = Record<'values' | 'to' | 'field' | 'name' | 'json', string>;

function parsed(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json.trim() === '' ? '{}' : json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Answers a test's arguments as its YAML has them; null while they cannot be read. */
export function argumentsOf(test: Test, { values, to, field, json }: Typed): Record<string, unknown> | null {
  switch (test) {
    case 'not_null':
    case 'unique':
      return {};
    case 'accepted_values': {
      const list = values.split(',').map((value) => value.trim()).filter((value) => value !== '');
      return list.length > 0 ? { values: list } : null;
    }
    case 'relationships':
      return to.trim() !== '' && field.trim() !== '' ? { to: `ref('${to.trim()}')`, field: field.trim() } : null;
    case 'another':
      return parsed(json);
  }
}

type Props = { project: string; uniqueId: string; column: string | null; baseVersion: number; onClose: () => void };

/** Adds a test to a node or to one of its columns. */
export function AddTest({ project, uniqueId, column, baseVersion, onClose }: Props) {
  const [test, setTest] = useState<Test>(column === null ? 'another' : 'not_null');
  const [typed, setTyped] = useState<Typed>({ values: '', to: '', field: '', name: '', json: '' });
  const add = useAddTest(project);
  const field = (name: keyof Typed) => ({
    value: typed[name],
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  const found = argumentsOf(test, typed);
  const name = test === 'another' ? typed.name.trim() : test;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!found) return;
    const members = Object.keys(found).length > 0 ? { arguments: found } : {};
    add.mutate({ unique_id: uniqueId, column, test: name, ...members, baseVersion }, { onSuccess: onClose });
  };
  return (
    <Dialog open onOpenChange={onClose} title={column === null ? 'Test the node' : `Test ${column}`}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 16 }}>
        <label className={bits.field}>
          <span>Test</span>
          <select className={bits.input} value={test} onChange={(event) => setTest(event.target.value as Test)}>
            {TESTS.map((option) => (
              <option key={option}>{option}</option>
            ))}
          </select>
        </label>
        {test === 'accepted_values' && <TextField label="Values" hint="With commas between them." {...field('values')} />}
        {test === 'relationships' && (
          <>
            <TextField label="To" hint="The model that has the values." {...field('to')} />
            <TextField label="Field" {...field('field')} />
          </>
        )}
        {test === 'another' && (
          <>
            <TextField label="Name" hint="With its package where it is not this project's or dbt's own." {...field('name')} />
            <TextField label="Arguments (JSON)" className="mono" placeholder="{}" {...field('json')} />
          </>
        )}
        {add.error && <ProblemNote problem={asProblem(add.error)} />}
        <DialogFoot>
          <Button look="primary" type="submit" busy={add.isPending} disabled={found === null || name === ''}>
            Add the test
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
