import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useTestConnection } from '@/api/mutations';
import { useEnvironments } from '@/api/queries';
import type { ConnectionTest, Environment } from '@/api/schema';
import { Blank, Card, Chip, Glyph, Page, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank, ProblemNote } from '@/components/ui/problem';
import { duration, plural } from '@/lib/format';

import { EnvironmentForm } from './environment-form';
import styles from './environments.module.css';

function Tested({ test }: { test: ConnectionTest }) {
  const isOk = test.status === 'ok';
  return (
    <p className={styles.result} role="status">
      <Glyph tone={isOk ? 'ok' : 'bad'} glyph={isOk ? '✓' : '✗'} /> {isOk ? `Connected in ${duration(test.ms)}` : 'Not connected'}
      {test.server && ` · ${test.server}`}
      {test.detail && ` · ${test.detail}`}
      {test.code && <span className="mono muted"> {test.code}</span>}
    </p>
  );
}

function Item({ project, environment, onEdit }: { project: string; environment: Environment; onEdit: () => void }) {
  const test = useTestConnection(project);
  const { name, target, database, schema, adapter, threads = 4, vars = {}, env = {} } = environment;
  return (
    <Card className={styles.item} role="group" aria-label={`Environment ${name}`}>
      <div>
        <h2>{name}</h2>
        <p className="muted mono">
          {database}.{schema}
        </p>
      </div>
      <div className={styles.buttons}>
        <Button busy={test.isPending} onClick={() => test.mutate(name)}>
          {test.isPending ? 'Testing…' : 'Test the connection'}
        </Button>
        <Button onClick={onEdit}>Edit</Button>
      </div>
      <div className={styles.facts}>
        <Chip>
          target <b>{target}</b>
        </Chip>
        <Chip>{adapter}</Chip>
        <Chip>{plural(threads, 'thread')}</Chip>
        <Chip>{plural(Object.keys(vars).length, 'var')}</Chip>
        <Chip>{plural(Object.keys(env).length, 'env value')}</Chip>
      </div>
      {test.data && <Tested test={test.data} />}
      {test.error && (
        <div className={styles.result}>
          <ProblemNote problem={asProblem(test.error)} onRetry={() => test.mutate(name)} />
        </div>
      )}
    </Card>
  );
}

/** Shows the environments of a project: where each runs, and whether that answers. */
export function Environments({ project, adding, onAdding }: { project: string; adding: boolean; onAdding: (adding: boolean) => void }) {
  const { data, error, refetch } = useEnvironments(project);
  const [chosen, setChosen] = useState<Environment | null>(null);
  const edited = adding ? 'new' : chosen;
  const setEdited = (next: Environment | 'new' | null) => {
    onAdding(next === 'new');
    setChosen(next === 'new' ? null : next);
  };
  return (
    <Page title="Environments" actions={<Button onClick={() => setEdited('new')}>New environment</Button>}>
      {error && !data ? (
        <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />
      ) : !data ? (
        <SkeletonLines lines={5} label="Loading the environments" />
      ) : data.environments.length === 0 ? (
        <Blank title="No environments" />
      ) : (
        <div className={styles.list}>
          {data.environments.map((environment) => (
            <Item key={environment.name} project={project} environment={environment} onEdit={() => setEdited(environment)} />
          ))}
        </div>
      )}
      {edited !== null && data && <EnvironmentForm project={project} environment={edited === 'new' ? null : edited} like={data.environments[0]} onClose={() => setEdited(null)} />}
    </Page>
  );
}
