import type { ElkNode } from 'elkjs/lib/elk-api';

import type { GraphModel } from './model';

export const NODE_WIDTH = 216;
export const NODE_HEIGHT = 50;

export interface Point {
  x: number;
  y: number;
}

/** Says where each node stands, by `node_key`. */
export type Positions = ReadonlyMap<string, Point>;

const OPTIONS: Record<string, string> = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.spacing.nodeNode': '18',
  'elk.layered.spacing.nodeNodeBetweenLayers': '76',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.layered.considerModelOrder.strategy': 'PREFER_EDGES',
  'elk.spacing.componentComponent': '36',
  'elk.randomSeed': '1',
};
/** Keeps the order in which nodes stand now, so that an edit moves only its neighbours. */
const KEEP_ORDER: Record<string, string> = {
  'elk.layered.crossingMinimization.strategy': 'INTERACTIVE',
  'elk.layered.considerModelOrder.strategy': 'NONE',
};

const ORDER = ['source', 'seed', 'snapshot', 'model', 'exposure', 'analysis'];

function middle(points: Point[]): Point {
  const sum = points.reduce((a, b) => ({ x: a.x + b.x, y: a.y + b.y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}

/** Guesses where a new node belongs: between its neighbours. */
function guess(model: GraphModel, known: Positions, key: string): Point | undefined {
  const neighbours = [...(model.parents.get(key) ?? []), ...(model.children.get(key) ?? [])];
  const points = neighbours.flatMap((neighbour) => known.get(neighbour) ?? []);
  return points.length > 0 ? middle(points) : undefined;
}

/** Names what a layout is a function of: two graphs of the same shape are laid out the same. */
export function shapeOf(model: GraphModel): string {
  return [...model.nodes.keys()].sort().join('\n') + '\n\n' + model.edges.map((edge) => edge.join('\t')).sort().join('\n');
}

/** Asks the layout engine for a layout; near the positions that are known, where most are. */
export function toElk(model: GraphModel, known: Positions): ElkNode {
  const keys = [...model.nodes.values()].sort(
    (a, b) =>
      ORDER.indexOf(a.resource_type) - ORDER.indexOf(b.resource_type) ||
      a.folder.localeCompare(b.folder) ||
      a.node_key.localeCompare(b.node_key),
  );
  const isKnown = keys.filter((node) => known.has(node.node_key)).length * 2 > keys.length;
  const children = keys.map(({ node_key: id }) => {
    const at = isKnown ? (known.get(id) ?? guess(model, known, id)) : undefined;
    return { id, width: NODE_WIDTH, height: NODE_HEIGHT, ...at };
  });
  const edges = model.edges.map(([parent, child], at) => ({ id: `e${at}`, sources: [parent], targets: [child] }));
  return { id: 'root', layoutOptions: isKnown ? { ...OPTIONS, ...KEEP_ORDER } : OPTIONS, children, edges };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Reads a layout, and shifts it so that most of what was there stays where it was. */
export function fromElk({ children = [] }: ElkNode, known: Positions): Positions {
  const stayed = children.flatMap(({ id, x = 0, y = 0 }) => {
    const before = known.get(id);
    return before ? [{ x: before.x - x, y: before.y - y }] : [];
  });
  const shift = { x: median(stayed.map((by) => by.x)), y: median(stayed.map((by) => by.y)) };
  return new Map(
    children.map(({ id, x = 0, y = 0 }) => [id, { x: Math.round(x + shift.x), y: Math.round(y + shift.y) }]),
  );
}
