import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import type { ConfigValue, NodeDetail } from '@/api/schema';
import { Button } from '@/components/ui/button';
import { plural } from '@/lib/format';

import { ConfigEdit } from './config-edit';
import { OFFERED, isSet, originWords, shown, sorted } from './config-values';
import styles from './config.module.css';

type Of = { project: string; node: NodeDetail };

function Origin({ project, config }: { project: string; config: ConfigValue }) {
  const { place, nodes, layer } = config;
  const words = originWords(config);
  if (!place) return <span className={styles.origin}>{words}</span>;
  const shared = nodes > 1 ? `, for ${plural(nodes, 'node')}` : '';
  return (
    <Link className={styles.origin} to="/projects/$project/files" params={{ project }} search={{ path: place.path, line: place.line }} title={`${layer} in ${place.path}, line ${place.line}${shared}`}>
      {words}
    </Link>
  );
}

function Row({ project, node, config, open, onOpen }: Of & { config: ConfigValue; open: boolean; onOpen: (open: boolean) => void }) {
  const text = shown(config.value);
  return (
    <li className={styles.row}>
      <span className={styles.key}>{config.key}</span>
      <button type="button" className={styles.value} data-empty={text === '' || undefined} aria-expanded={open} aria-label={`${config.key}: ${text === '' ? 'not set' : text}. Change`} onClick={() => onOpen(!open)}>
        {text === '' ? 'not set' : text}
      </button>
      <Origin project={project} config={config} />
      {open && <ConfigEdit project={project} node={node} config={config} onClose={() => onOpen(false)} />}
    </li>
  );
}

/** Shows the resolved config of a node: each value with where it was set, and lets the user set it there. */
export function ConfigTab({ project, node }: Of) {
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState<string>();
  const known = sorted(node.config);
  const set = known.filter(isSet);
  const unset = known.filter((config) => !isSet(config) && (all || OFFERED.includes(config.key)));
  const relation = node.materialized && node.materialized !== 'ephemeral' ? `${node.database}.${node.schema}.${node.alias}` : null;
  const row = (config: ConfigValue) => (
    <Row key={config.key} project={project} node={node} config={config} open={open === config.key} onOpen={(isOpen) => setOpen(isOpen ? config.key : undefined)} />
  );
  return (
    <>
      <dl className={styles.facts}>
        <dt>unique_id</dt>
        <dd className="mono">{node.unique_id}</dd>
        {relation !== null && (
          <>
            <dt>relation</dt>
            <dd className="mono">{relation}</dd>
          </>
        )}
      </dl>
      <h3 className={styles.head}>Set, and where</h3>
      <ul className={styles.list} aria-label="Configs that are set">
        {set.map(row)}
        {set.length === 0 && <li className={styles.row}>Nobody set anything: all as dbt has it.</li>}
      </ul>
      <h3 className={styles.head}>Not set</h3>
      <ul className={styles.list} aria-label="Configs that are not set">
        {unset.map(row)}
      </ul>
      <div style={{ padding: '8px 16px' }}>
        <Button look="link" onClick={() => setAll(!all)}>
          {all ? 'Only what is often set' : `All ${known.length} configs`}
        </Button>
      </div>
    </>
  );
}
