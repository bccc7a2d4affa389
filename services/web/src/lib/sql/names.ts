/** Is a node as far as an editor names it. */
export interface Named {
  unique_id: string;
  name: string;
  resource_type: string;
  package: string;
  source_name?: string | null;
  materialized?: string | null;
}

/** Is a macro as far as an editor names it. */
export interface Macro {
  name: string;
  package: string;
  arguments: readonly string[];
  description: string;
  place?: { path: string; line: number } | null;
}

/** Is all that an editor completes from and leads to. */
export interface Known {
  nodes: readonly Named[];
  names: { macros: readonly Macro[]; vars: readonly { name: string; value: unknown }[]; columns: Readonly<Record<string, readonly string[]>> } | undefined;
}

const REFERABLE = new Set(['model', 'seed', 'snapshot']);

/** Finds the node that `ref('name')` or `ref('package', 'name')` names. */
export function refNode({ nodes }: Known, name: string): Named | undefined {
  return nodes.find((node) => node.name === name && REFERABLE.has(node.resource_type));
}

/** Finds the node that `source('source', 'table')` names. */
export function sourceNode({ nodes }: Known, source: string, table: string): Named | undefined {
  return nodes.find((node) => node.resource_type === 'source' && node.source_name === source && node.name === table);
}

/** Lists the nodes that may be in a `ref()`. */
export function referable({ nodes }: Known): Named[] {
  return nodes.filter((node) => REFERABLE.has(node.resource_type));
}

/** Lists the nodes that a text reads, in the order in which it names them. */
export function readBy(known: Known, text: string): Named[] {
  const found: (Named | undefined)[] = [];
  for (const [, first, second] of text.matchAll(/\bref\(\s*['"](\w+)['"](?:\s*,\s*['"](\w+)['"])?/g)) found.push(refNode(known, second ?? first ?? ''));
  for (const [, source, table] of text.matchAll(/\bsource\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]/g)) found.push(sourceNode(known, source ?? '', table ?? ''));
  return [...new Set(found.filter((node) => node !== undefined))];
}
