import { type SyntheticEvent, useState } from 'react';

import { asProblem } from '@/api/client';
import { useConfigure } from '@/api/commands';
import { useEditPreview } from '@/api/queries';
import type { ConfigValue, Intent, NodeDetail } from '@/api/schema';
import bits from '@/components/ui/bits.module.css';
import { Button } from '@/components/ui/button';
import { Changes } from '@/components/ui/changes';
import { ProblemNote } from '@/components/ui/problem';
import { plural } from '@/lib/format';
import { useSettled } from '@/lib/use-settled';

import { type Kind, kindOf, originWords, shown, typedValue } from './config-values';
import styles from './config.module.css';

type Place = 'node' | 'folder';

function Field({ kind, label, text, onChange }: { kind: Kind; label: string; text: string; onChange: (text: string) => void }) {
  const options = kind.kind === 'choice' ? kind.options : kind.kind === 'flag' ? ['true', 'false'] : null;
  const common = { className: `${bits.input ?? ''} mono`, 'aria-label': label, value: text, onChange: (event: { target: { value: string } }) => onChange(event.target.value) };
  if (options) {
    return (
      <select {...common} autoFocus>
        <option value="">(not set)</option>
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    );
  }
  return <input {...common} autoFocus spellCheck={false} autoComplete="off" placeholder={kind.kind === 'json' ? 'JSON, e.g. {"owner": "finance"}' : kind.kind === 'words' ? 'with commas between' : ''} />;
}

function Where({ config, place, onPlace }: { config: ConfigValue; place: Place; onPlace: (place: Place) => void }) {
  if (config.layer !== 'dbt_project.yml') return null;
  return (
    <fieldset className={styles.where}>
      <legend>For whom</legend>
      {(['node', 'folder'] as const).map((value) => (
        <label key={value}>
          <input type="radio" name="place" checked={place === value} onChange={() => onPlace(value)} />
          {value === 'node' ? 'Only this node' : `All ${plural(config.nodes, 'node')} that ${originWords(config)} sets it for`}
        </label>
      ))}
    </fieldset>
  );
}

type Props = { project: string; node: NodeDetail; config: ConfigValue; onClose: () => void };

/** Edits one config in its place: for whom it is, and what that writes in which file. */
export function ConfigEdit({ project, node, config, onClose }: Props) {
  const kind = kindOf(config.key, config.value);
  const [text, setText] = useState(shown(config.value));
  const [place, setPlace] = useState<Place>('node');
  const configure = useConfigure(project);
  const value = typedValue(kind.kind, text);
  const isNew = value !== undefined && JSON.stringify(value) !== JSON.stringify(config.value ?? null);
  const members = { unique_id: node.unique_id, key: config.key, value, ...(config.layer === 'dbt_project.yml' && { place }) };
  const settled = useSettled({ isNew, members });
  const preview = useEditPreview(project, settled.isNew ? ({ type: 'configure', ...settled.members } as Intent) : null);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!isNew) return;
    configure.mutate({ ...members, baseVersion: node.version } as Parameters<typeof configure.mutate>[0], { onSuccess: onClose });
  };
  const problem = configure.error ?? (isNew ? preview.error : null);
  return (
    <form className={styles.edit} onSubmit={submit} aria-label={`Set ${config.key}`}>
      <Field kind={kind} label={`Value of ${config.key}`} text={text} onChange={setText} />
      <Where config={config} place={place} onPlace={setPlace} />
      {problem && <ProblemNote problem={asProblem(problem)} />}
      {value === undefined && <p className={styles.bad}>This is no JSON.</p>}
      {isNew && preview.data && <Changes files={preview.data.files} label="What it writes" />}
      <div className={styles.buttons}>
        <Button look="primary" type="submit" busy={configure.isPending} disabled={!isNew || preview.isError}>
          Set
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
