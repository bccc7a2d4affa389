import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useDefineEnvironment } from '@/api/mutations';
import type { Environment } from '@/api/schema';
import { TextArea, TextField } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { ProblemNote } from '@/components/ui/problem';

import styles from './environments.module.css';

type Typed = Record<'name' | 'target' | 'database' | 'schema' | 'threads' | 'vars' | 'env', string>;

/** Answers what a new environment begins with: the target of one that is there. */
function begun(like: Environment | undefined): Typed {
  return { name: '', target: like?.target ?? '', database: like?.database ?? '', schema: '', threads: String(like?.threads ?? 4), vars: '', env: '' };
}

function written(environment: Environment): Typed {
  const { name, target, database, schema, threads = 4, vars = {}, env = {} } = environment;
  const json = (value: object) => (Object.keys(value).length === 0 ? '' : JSON.stringify(value, null, 2));
  return { name, target, database, schema, threads: String(threads), vars: json(vars), env: json(env) };
}

function object(text: string): Record<string, unknown> {
  return text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function isObject(text: string): boolean {
  try {
    const value: unknown = object(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function read(typed: Typed): Environment {
  const { vars, env, threads, ...rest } = typed;
  return { ...rest, threads: Number(threads), vars: object(vars), env: object(env) as Record<string, string> };
}

type Props = { project: string; environment: Environment | null; like: Environment | undefined; onClose: () => void };

/** Defines an environment, or one that is there anew. */
export function EnvironmentForm({ project, environment, like, onClose }: Props) {
  const [typed, setTyped] = useState(environment ? written(environment) : begun(like));
  const define = useDefineEnvironment(project);
  const field = (name: keyof Typed) => ({
    value: typed[name],
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  const isReadable = isObject(typed.vars) && isObject(typed.env);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    define.mutate(read(typed), { onSuccess: onClose });
  };
  return (
    <Dialog open onOpenChange={onClose} title={environment ? `Environment ${environment.name}` : 'New environment'}>
      <form className={styles.form} onSubmit={submit}>
        <div className={styles.two}>
          <TextField label="Name" {...field('name')} disabled={environment !== null} autoFocus={environment === null} hint="dbt sees it as target.name." />
          <TextField label="Target" {...field('target')} hint="As DVT_TARGET_<NAME> has it." />
          <TextField label="Database" {...field('database')} />
          <TextField label="Schema" {...field('schema')} />
          <TextField label="Threads" type="number" min={1} max={64} {...field('threads')} hint="Statements at a time, 1 to 64." />
        </div>
        <TextArea label="vars (JSON)" rows={3} className="mono" spellCheck={false} {...field('vars')} />
        <TextArea label="env (JSON)" rows={3} className="mono" spellCheck={false} {...field('env')} hint="What env_var() answers. No place for secrets: everyone who sees the project sees it." />
        {!isReadable && <p style={{ color: 'var(--bad)' }}>vars and env must each be a JSON object</p>}
        {define.error && <ProblemNote problem={asProblem(define.error)} />}
        <DialogFoot>
          <Button look="primary" type="submit" busy={define.isPending} disabled={!isReadable || typed.name.trim() === ''}>
            {environment ? 'Save' : 'Define'}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
