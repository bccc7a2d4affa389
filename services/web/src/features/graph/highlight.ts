import { type Store, createStore } from '@/lib/store';

import { type GraphModel, reach } from './model';

/** Says which nodes belong to the lineage of the one that is selected or pointed at. */
export interface Highlight {
  selected: string | undefined;
  /** The selected node, or the one that is pointed at. */
  center: string | undefined;
  up: ReadonlySet<string>;
  down: ReadonlySet<string>;
  /** What a selector finds; all where there is none. */
  chosen: ReadonlySet<string> | null;
}

const NOTHING: ReadonlySet<string> = new Set();
const NONE: Highlight = { selected: undefined, center: undefined, up: NOTHING, down: NOTHING, chosen: null };

export type HighlightStore = Store<Highlight>;

/** Makes a store in which nothing is highlighted. */
export const createHighlight = (): HighlightStore => createStore(NONE);

/** Says what is highlighted when one node is selected and another pointed at. */
export function highlightOf(
  model: GraphModel,
  selected: string | undefined,
  hovered: string | undefined,
  chosen: Highlight['chosen'],
): Highlight {
  const center = hovered ?? selected;
  if (center === undefined) return { ...NONE, chosen };
  return { selected, center, up: reach(model.parents, center), down: reach(model.children, center), chosen };
}

/** Says how an edge is drawn: `hot` at the center, `warm` in its lineage. */
export function edgeHeat({ center, up, down }: Highlight, parent: string, child: string): 'hot' | 'warm' | 'cold' {
  if (center === undefined) return 'cold';
  if (parent === center || child === center) return 'hot';
  if (up.has(parent) && up.has(child)) return 'warm';
  return down.has(parent) && down.has(child) ? 'warm' : 'cold';
}

/** Says how a node is drawn. */
export function nodeMark({ selected, center, chosen }: Highlight, key: string): 'selected' | 'center' | 'dim' | 'plain' {
  if (key === selected) return 'selected';
  if (key === center) return 'center';
  return chosen && !chosen.has(key) ? 'dim' : 'plain';
}
