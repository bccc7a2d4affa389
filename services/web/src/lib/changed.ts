interface Placed {
  unique_id: string;
  name: string;
  resource_type: string;
  source_name?: string | null;
  path: string;
}

/** Kinds that a run builds. */
const BUILT = new Set(['model', 'seed', 'snapshot']);

/** Lists the nodes that are built and whose own files are among those that changed. */
export function changedNodes<N extends Placed>(nodes: readonly N[], paths: Iterable<string>): N[] {
  const changed = new Set(paths);
  return nodes.filter((node) => BUILT.has(node.resource_type) && changed.has(node.path));
}
