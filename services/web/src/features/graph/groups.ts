import type { GraphNode } from '@/api/schema';

import type { GraphModel } from './model';

/** From how many nodes on a graph opens on its folders. */
export const FOLDED_FROM = 150;
/** With more folders than this, deep ones are taken together. */
const FOLDERS_MAX = 60;

/** Is what is drawn as one node while it is closed, and as a frame around its members while it is open. */
export interface Group {
  key: string;
  label: string;
  kind: 'source' | 'folder';
  /** The `node_key`s of its members. */
  members: readonly string[];
}

export type Groups = ReadonlyMap<string, Group>;

function folderOf({ path }: GraphNode, depth: number): string {
  const segments = path.split('/').slice(0, -1);
  return segments.slice(0, depth).join('/');
}

function folders(nodes: readonly GraphNode[]): (node: GraphNode) => string {
  for (let depth = 8; depth > 1; depth -= 1) {
    if (new Set(nodes.map((node) => folderOf(node, depth))).size <= FOLDERS_MAX) return (node) => folderOf(node, depth);
  }
  return (node) => folderOf(node, 1);
}

/** Puts the tables of each source into a group, and all else into its folder. */
export function groupsOf(model: GraphModel): Groups {
  const nodes = [...model.nodes.values()];
  const folder = folders(nodes.filter((node) => node.resource_type !== 'source'));
  const groups = new Map<string, Group & { members: string[] }>();
  for (const node of nodes) {
    const isSource = node.resource_type === 'source';
    const place = isSource ? (node.source_name ?? '') : folder(node);
    if (place === '') continue;
    const key = `${isSource ? 'source' : 'folder'}:${node.package}/${place}`;
    const known = groups.get(key);
    if (known) known.members.push(node.node_key);
    else groups.set(key, { key, label: place.replace(/^models\//, ''), kind: isSource ? 'source' : 'folder', members: [node.node_key] });
  }
  for (const [key, { members }] of groups) if (members.length < 2) groups.delete(key);
  return groups;
}

/** Is a graph as it is drawn: closed groups in the place of their members. */
export interface View extends GraphModel {
  /** The groups that are drawn as one node each. */
  closed: Groups;
  /** The groups around whose members a frame is drawn. */
  open: readonly Group[];
  /** What each node is drawn as, where that is not itself. */
  inside: ReadonlyMap<string, string>;
}

/** Says what a graph is drawn as, when some of its groups are open. */
export function viewOf(model: GraphModel, groups: Groups, isOpen: (group: Group) => boolean): View {
  const closed = new Map<string, Group>();
  const open: Group[] = [];
  const inside = new Map<string, string>();
  for (const group of groups.values()) {
    if (isOpen(group)) {
      open.push(group);
      continue;
    }
    closed.set(group.key, group);
    for (const member of group.members) inside.set(member, group.key);
  }
  const shown = (key: string) => inside.get(key) ?? key;
  const [parents, children] = [new Map<string, string[]>(), new Map<string, string[]>()];
  const edges: [string, string][] = [];
  const known = new Set<string>();
  for (const [from, to] of model.edges) {
    const [parent, child] = [shown(from), shown(to)];
    const name = `${parent}>${child}`;
    if (parent === child || known.has(name)) continue;
    known.add(name);
    edges.push([parent, child]);
    parents.set(child, [...(parents.get(child) ?? []), parent]);
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const nodes = new Map([...model.nodes].filter(([key]) => !inside.has(key)));
  return { nodes, parents, children, edges, closed, open, inside };
}
