interface Completed {
  name: string;
  resource_type: string;
  source_name?: string | null;
  path: string;
  tags: readonly string[];
  materialized?: string | null;
  package: string;
}

/** Is one way to go on with a selector. */
export interface Choice {
  /** What the whole selector would be. */
  select: string;
  label: string;
  detail: string;
}

/** How many choices are offered. */
const SHOWN = 9;

function values(nodes: readonly Completed[]): { label: string; detail: string }[] {
  const names = nodes.map((node) => ({
    label: node.resource_type === 'source' ? `source:${node.source_name ?? ''}.${node.name}` : node.resource_type === 'exposure' ? `exposure:${node.name}` : node.name,
    detail: node.resource_type,
  }));
  const many = (list: (string | null | undefined)[], method: string, detail: string) =>
    [...new Set(list)].flatMap((value) => (value ? [{ label: `${method}:${value}`, detail }] : [])).sort((a, b) => a.label.localeCompare(b.label));
  const folders = nodes.flatMap((node) => {
    const segments = node.path.split('/').slice(0, -1);
    return segments.map((_, at) => segments.slice(0, at + 1).join('/'));
  });
  return [
    ...names,
    ...many(nodes.flatMap((node) => node.tags), 'tag', 'tag'),
    ...many(folders, 'path', 'folder'),
    ...many(nodes.map((node) => node.source_name), 'source', 'source'),
    ...many(nodes.map((node) => node.materialized), 'config.materialized', 'made as'),
    ...many(nodes.map((node) => node.resource_type), 'resource_type', 'kind'),
    ...many(nodes.map((node) => node.package), 'package', 'package'),
  ];
}

/** Completes the last word of a selector: names of nodes, and what dbt's methods take. */
export function completeSelect(nodes: readonly Completed[], typed: string): Choice[] {
  const start = Math.max(typed.lastIndexOf(' '), typed.lastIndexOf(',')) + 1;
  const word = typed.slice(start);
  const operator = /^(?:@|\d*\+)?/.exec(word)?.[0] ?? '';
  const wanted = word.slice(operator.length).toLowerCase();
  if (wanted === '' && operator === '') return [];
  const rank = (label: string) => {
    const at = label.toLowerCase().indexOf(wanted);
    return at < 0 ? null : at + label.length / 100;
  };
  const fitting = values(nodes).flatMap((value) => {
    const found = rank(value.label);
    return found === null || value.label === word.slice(operator.length) ? [] : [{ ...value, found }];
  });
  return fitting
    .sort((a, b) => a.found - b.found)
    .slice(0, SHOWN)
    .map(({ label, detail }) => ({ select: typed.slice(0, start) + operator + label, label, detail }));
}
