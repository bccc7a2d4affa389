/** What a new model can start as: the layers of dbt's style guide, and how each names its models. */
export interface Template {
  id: string;
  label: string;
  layer: 'staging' | 'intermediate' | 'marts';
  says: string;
  /** Proposes a name for a model that reads these. */
  name: (reads: readonly Read[]) => string;
}

/** Is what a new model reads. */
export interface Read {
  name: string;
  source_name?: string | null;
}

/** Answers what a model is about: its name without the prefix of its layer. */
export function entityOf(name: string): string {
  const bare = name.replace(/^(stg|int|fct|dim|rpt|base|raw|src)_/, '');
  return bare.includes('__') ? bare.slice(bare.indexOf('__') + 2) : bare;
}

function first(reads: readonly Read[]): string {
  const [read] = reads;
  return read ? entityOf(read.name) : '';
}

function staging(reads: readonly Read[]): string {
  const [read] = reads;
  if (!read) return 'stg_source__entities';
  const system = read.source_name ?? /^(?:raw|src)_/.exec(read.name)?.[0].slice(0, 3) ?? 'source';
  return `stg_${system}__${entityOf(read.name)}`;
}

const or = (entity: string, usual: string) => (entity === '' ? usual : entity);

export const TEMPLATES: readonly [Template, ...Template[]] = [
  { id: 'staging', label: 'Staging', layer: 'staging', says: 'One source table, renamed and cast. A view.', name: staging },
  { id: 'intermediate', label: 'Intermediate', layer: 'intermediate', says: 'A step between: joins, aggregates. Named by what it did.', name: (reads) => `int_${or(first(reads), 'entities')}_joined` },
  { id: 'fact', label: 'Fact', layer: 'marts', says: 'One row an event or a transaction.', name: (reads) => `fct_${or(first(reads), 'entities')}` },
  { id: 'dimension', label: 'Dimension', layer: 'marts', says: 'One row a thing: who, what, where.', name: (reads) => `dim_${or(first(reads), 'entities')}` },
  { id: 'report', label: 'Report', layer: 'marts', says: 'Numbers as somebody reads them.', name: (reads) => `rpt_${or(first(reads), 'entities')}` },
];

/** Answers a name that no model has yet: the wanted one, else with a number. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  let number = 2;
  while (taken.has(`${wanted}_${number}`)) number += 1;
  return `${wanted}_${number}`;
}

/** Proposes the template for a model that reads these: staging for sources, else the next layer. */
export function templateFor(reads: readonly Read[]): Template {
  const [usual] = TEMPLATES;
  const of = (id: string) => TEMPLATES.find((template) => template.id === id) ?? usual;
  if (reads.length === 0 || reads.some((read) => read.source_name != null || /^raw_/.test(read.name))) return usual;
  if (reads.every((read) => /^(stg|base)_/.test(read.name))) return of('intermediate');
  return reads.every((read) => /^(fct|dim|rpt)_/.test(read.name)) ? of('report') : of('fact');
}
