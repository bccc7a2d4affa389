import type { ElkNode } from 'elkjs/lib/elk-api';

import type { View } from './groups';

export const NODE_WIDTH = 232;
export const NODE_HEIGHT = 50;
/** What a frame leaves around its members; more above, for its name. */
export const FRAME = { side: 14, top: 34 };

export interface Point {
  x: number;
  y: number;
}

/** How many shapes are drawn as one: few enough to lie close to each other, so that a part of the screen is drawn anew without all of them. */
const DRAWN_TOGETHER = 16;

/** Cuts a list of what lies close to each other into pieces that are drawn as one. */
export function piecesOf<T>(shapes: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(shapes.length / DRAWN_TOGETHER) }, (_, at) => shapes.slice(at * DRAWN_TOGETHER, (at + 1) * DRAWN_TOGETHER));
}

/** Says where each node stands, by its key. */
export type Positions = ReadonlyMap<string, Point>;

const OPTIONS: Record<string, string> = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.spacing.nodeNode': '16',
  'elk.layered.spacing.nodeNodeBetweenLayers': '56',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.layered.considerModelOrder.strategy': 'PREFER_EDGES',
  'elk.spacing.componentComponent': '32',
  'elk.randomSeed': '1',
};
const ORDER = ['source', 'seed', 'snapshot', 'model', 'exposure', 'analysis'];

/** Names what a layout is a function of: two graphs of the same shape are laid out the same. */
export function shapeOf(view: View): string {
  const keys = [...view.nodes.keys(), ...view.closed.keys(), ...view.open.map((group) => group.key)].sort();
  return `${keys.join('\n')}\n\n${view.edges.map((edge) => edge.join('\t')).sort().join('\n')}`;
}

function keysOf(view: View): string[] {
  const nodes = [...view.nodes.values()].sort(
    (a, b) =>
      ORDER.indexOf(a.resource_type) - ORDER.indexOf(b.resource_type) ||
      a.folder.localeCompare(b.folder) ||
      a.node_key.localeCompare(b.node_key),
  );
  return [...view.closed.keys(), ...nodes.map((node) => node.node_key)];
}

/** Asks the layout engine for a layout of a graph without frames. */
export function toElk(view: View): ElkNode {
  const children = keysOf(view).map((id) => ({ id, width: NODE_WIDTH, height: NODE_HEIGHT }));
  const edges = view.edges.map(([parent, child], index) => ({ id: `e${index}`, sources: [parent], targets: [child] }));
  return { id: 'root', layoutOptions: OPTIONS, children, edges };
}

/** Reads a layout. */
export function fromElk({ children = [] }: ElkNode): Positions {
  return new Map(children.map(({ id, x = 0, y = 0 }) => [id, { x: Math.round(x), y: Math.round(y) }]));
}

/** Answers the frame around some positions. */
export function frameOf(points: readonly Point[]): { x: number; y: number; width: number; height: number } | undefined {
  if (points.length === 0) return undefined;
  const [x, y] = [Math.min(...points.map((at) => at.x)), Math.min(...points.map((at) => at.y))];
  const [right, bottom] = [Math.max(...points.map((at) => at.x)) + NODE_WIDTH, Math.max(...points.map((at) => at.y)) + NODE_HEIGHT];
  return { x: x - FRAME.side, y: y - FRAME.top, width: right - x + 2 * FRAME.side, height: bottom - y + FRAME.top + FRAME.side };
}
