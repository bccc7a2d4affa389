import type { ConfigValue, NodeDetail } from '@/api/schema';

/** How a config is edited: one of a list, yes or no, words, or anything as JSON. */
export type Kind = { kind: 'choice'; options: readonly string[] } | { kind: 'flag' } | { kind: 'words' } | { kind: 'text' } | { kind: 'json' };

const MATERIALIZED = ['view', 'table', 'incremental', 'ephemeral'] as const;
const WORDS = new Set(['tags', 'unique_key', 'packages']);
const FLAGS = new Set(['enabled', 'full_refresh', 'quote_columns', 'invalidate_hard_deletes', 'store_failures']);
const TEXTS = new Set(['schema', 'alias', 'database', 'group', 'delimiter', 'on_schema_change', 'incremental_strategy', 'strategy', 'updated_at', 'event_time', 'access']);

const CHOICES: Record<string, readonly string[]> = {
  materialized: MATERIALIZED,
  on_schema_change: ['ignore', 'fail', 'append_new_columns', 'sync_all_columns'],
  incremental_strategy: ['append', 'merge', 'delete+insert'],
  access: ['private', 'protected', 'public'],
  strategy: ['timestamp', 'check'],
};

/** Answers how a config is edited. */
export function kindOf(key: string, value: unknown): Kind {
  const options = CHOICES[key];
  if (options && (value == null || (typeof value === 'string' && options.includes(value)))) return { kind: 'choice', options };
  if (FLAGS.has(key) || typeof value === 'boolean') return { kind: 'flag' };
  if (WORDS.has(key) && (value == null || typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string')))) return { kind: 'words' };
  return TEXTS.has(key) || typeof value === 'string' ? { kind: 'text' } : { kind: 'json' };
}

/** Writes a value as its field shows it. */
export function shown(value: unknown): string {
  if (value == null) return '';
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.join(', ') : JSON.stringify(value);
}

/** Reads what was typed; undefined while it cannot be read. An empty field takes the value away. */
export function typedValue(kind: Kind['kind'], text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  switch (kind) {
    case 'flag':
      return trimmed === 'true';
    case 'words':
      return trimmed.split(',').map((word) => word.trim()).filter((word) => word !== '');
    case 'json':
      try {
        return JSON.parse(trimmed) as unknown;
      } catch {
        return undefined;
      }
    case 'choice':
    case 'text':
      return trimmed;
  }
}

/** Says where a value was set: the file and its line; `default` where nobody did. */
export function originWords({ layer, place }: Pick<ConfigValue, 'layer' | 'place'>): string {
  if (layer === 'default') return 'default';
  if (!place) return layer;
  const file = place.path.slice(place.path.lastIndexOf('/') + 1);
  return `${file}:${place.line}`;
}

/** Configs that a model can have and that are shown to be set although nobody set them. */
export const OFFERED = ['materialized', 'schema', 'alias', 'tags', 'enabled', 'meta', 'unique_key', 'incremental_strategy', 'on_schema_change', 'pre-hook', 'post-hook', 'grants'];

/** Says whether somebody set a value. */
export function isSet({ layer }: Pick<ConfigValue, 'layer'>): boolean {
  return layer !== 'default';
}

/** Lists the configs that somebody set first, then the others by name. */
export function sorted(config: NodeDetail['config']): ConfigValue[] {
  return [...config].sort((a, b) => Number(isSet(b)) - Number(isSet(a)) || a.key.localeCompare(b.key));
}
