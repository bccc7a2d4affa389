import type { Graph, GraphNode } from '@/api/schema';

/** Is a graph with its neighbours at hand. Nodes are named by `node_key`, which stays the same through renames. */
export interface GraphModel {
  nodes: ReadonlyMap<string, GraphNode>;
  parents: ReadonlyMap<string, readonly string[]>;
  children: ReadonlyMap<string, readonly string[]>;
  edges: readonly (readonly [parent: string, child: string])[];
}

const NONE: readonly string[] = [];

/** Indexes a graph. */
export function modelOf({ nodes, edges }: Pick<Graph, 'nodes' | 'edges'>): GraphModel {
  const parents = new Map<string, string[]>();
  const children = new Map<string, string[]>();
  const named: [string, string][] = [];
  for (const [from, to] of edges) {
    const parent = from === undefined ? undefined : nodes[from]?.node_key;
    const child = to === undefined ? undefined : nodes[to]?.node_key;
    if (parent === undefined || child === undefined) continue;
    named.push([parent, child]);
    parents.set(child, [...(parents.get(child) ?? []), parent]);
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  return { nodes: new Map(nodes.map((node) => [node.node_key, node])), parents, children, edges: named };
}

/** Answers what is reached from a node along one direction, at most so many steps away; not the node itself. */
export function reach(next: GraphModel['parents'], from: string, steps = Infinity): Set<string> {
  const found = new Set<string>();
  let front = [from];
  for (let step = 0; step < steps && front.length > 0; step += 1) {
    front = front.flatMap((key) => next.get(key) ?? NONE).filter((key) => key !== from && !found.has(key));
    for (const key of front) found.add(key);
  }
  return found;
}

/** Answers a node and what is at most so many steps up and down from it. */
export function around(model: GraphModel, key: string, steps: number): Set<string> {
  return new Set([key, ...reach(model.parents, key, steps), ...reach(model.children, key, steps)]);
}

/** Keeps only some nodes, and the edges between them. */
export function only(model: GraphModel, keys: ReadonlySet<string>): GraphModel {
  const kept = (list: readonly string[]) => list.filter((key) => keys.has(key));
  const neighbours = (of: GraphModel['parents']) =>
    new Map([...of].filter(([key]) => keys.has(key)).map(([key, list]) => [key, kept(list)]));
  return {
    nodes: new Map([...model.nodes].filter(([key]) => keys.has(key))),
    parents: neighbours(model.parents),
    children: neighbours(model.children),
    edges: model.edges.filter(([parent, child]) => keys.has(parent) && keys.has(child)),
  };
}

/** Finds the node of a unique_id. */
export function keyOf(model: GraphModel, uniqueId: string | undefined): string | undefined {
  if (uniqueId === undefined) return undefined;
  for (const node of model.nodes.values()) if (node.unique_id === uniqueId) return node.node_key;
  return undefined;
}
