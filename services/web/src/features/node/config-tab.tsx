import { useState } from 'react';

import type { ConfigValue, NodeDetail } from '@/api/schema';
import { Button } from '@/components/ui/button';

import styles from './node.module.css';

/** Values that dbt gives when nobody says anything. */
function isUsual({ key, value }: ConfigValue): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (key === 'enabled') return value === true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Shows the resolved config of a node, and the relation that it makes. */
export function ConfigTab({ node }: { node: NodeDetail }) {
  const [all, setAll] = useState(false);
  const shown = node.config.filter((config) => all || !isUsual(config));
  const relation = node.materialized && node.materialized !== 'ephemeral' ? `${node.database}.${node.schema}.${node.alias}` : null;
  return (
    <>
      <dl className={styles.config}>
        <dt>unique_id</dt>
        <dd className="mono">{node.unique_id}</dd>
        {relation !== null && (
          <>
            <dt>relation</dt>
            <dd className="mono">{relation}</dd>
          </>
        )}
        {shown.flatMap(({ key, value }) => [
          <dt key={key}>{key}</dt>,
          <dd key={`${key}=`} className="mono">
            {written(value)}
          </dd>,
        ])}
      </dl>
      <div className={styles.bar} style={{ borderTop: 0 }}>
        <Button look="link" onClick={() => setAll(!all)}>
          {all ? 'Only what somebody set' : `All ${node.config.length} values`}
        </Button>
      </div>
    </>
  );
}
