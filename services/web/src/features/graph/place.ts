import { Position } from '@xyflow/react';

import { type DustNodeType, LARGE } from './dust';
import type { EdgesNodeType } from './edges-layer';
import type { DbtNode } from './graph-node';
import type { FrameNodeType, GroupNodeType } from './group-node';
import type { View } from './groups';
import { NODE_HEIGHT, NODE_WIDTH, type Point, type Positions, frameOf } from './layout';
import type { PlainNodesType } from './plain-nodes';

/** Is anything that the canvas draws. */
export type Drawn = DbtNode | GroupNodeType | FrameNodeType | EdgesNodeType | DustNodeType | PlainNodesType;

const SIZE = { width: NODE_WIDTH, height: NODE_HEIGHT };
const LEAF = { ...SIZE, measured: SIZE };
/** Where edges begin and end: known without measuring. */
const HANDLES = [
  { type: 'target' as const, position: Position.Left, x: 0, y: NODE_HEIGHT / 2, width: 1, height: 1 },
  { type: 'source' as const, position: Position.Right, x: NODE_WIDTH, y: NODE_HEIGHT / 2, width: 1, height: 1 },
];

/** Names the frame of an open group. */
export const frameId = (group: string) => `frame:${group}`;

/** Answers where a node stands: where somebody pinned it, else where the layout has it. */
function placeOf(view: View, positions: Positions, key: string): Point | undefined {
  const node = view.nodes.get(key);
  return node?.x != null && node.y != null ? { x: node.x, y: node.y } : positions.get(key);
}

/** Makes what is drawn: frames first, so that nodes lie over them. */
export function place(view: View, positions: Positions, selected: ReadonlySet<string>): Drawn[] {
  const at = (key: string) => placeOf(view, positions, key);
  const frames = view.open.flatMap((group): Drawn[] => {
    const frame = frameOf(group.members.flatMap((key) => (view.nodes.has(key) ? (at(key) ?? []) : [])));
    if (!frame) return [];
    const { x, y, ...size } = frame;
    return [{ id: frameId(group.key), type: 'frame', position: { x, y }, data: { group }, ...size, measured: size, draggable: false, selectable: false, zIndex: -2, style: { pointerEvents: 'none' } }];
  });
  const groups = [...view.closed.values()].flatMap((group): Drawn[] => {
    const position = at(group.key);
    return position ? [{ id: group.key, type: 'group', position, data: { group }, ...LEAF, draggable: false, selectable: false }] : [];
  });
  const isSteady = view.nodes.size <= LARGE;
  const nodes = [...view.nodes.values()].flatMap((node): Drawn[] => {
    const position = at(node.node_key);
    return position ? [{ id: node.node_key, type: 'dbt', position, data: { node, isSteady }, selected: selected.has(node.node_key), handles: HANDLES, ...LEAF }] : [];
  });
  return [...frames, ...groups, ...nodes];
}
