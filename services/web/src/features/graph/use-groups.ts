import { useMemo, useState } from 'react';

import { readLocal, writeLocal } from '@/lib/local';

import { FOLDED_FROM, type Group, type Groups, type View, groupsOf, viewOf } from './groups';
import type { GraphModel } from './model';

const keyOf = (project: string) => `dvt.groups.${project}`;

function kept(project: string): ReadonlySet<string> {
  return new Set(JSON.parse(readLocal(keyOf(project)) ?? '[]') as string[]);
}

/** Is what is drawn of a graph, and how its groups open and close. */
export interface Grouping {
  view: View;
  groups: Groups;
  toggle: (key: string) => void;
  /** Opens all groups, or closes all. */
  toggleAll: (open: boolean) => void;
}

function flipped(keys: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(keys);
  if (!next.delete(key)) next.add(key);
  return next;
}

const isFirstOpen = ({ kind }: Group, isFolded: boolean) => kind === 'folder' && !isFolded;

/** Closes sources, and folders in large graphs, unless somebody opened them; selecting a node opens its group. */
export function useGroups(project: string, model: GraphModel, selected: string | undefined): Grouping {
  const [toggled, setToggled] = useState(() => kept(project));
  const groups = useMemo(() => groupsOf(model), [model]);
  const isFolded = model.nodes.size > FOLDED_FROM;
  const view = useMemo(
    () => viewOf(model, groups, (group) => isFirstOpen(group, isFolded) !== toggled.has(group.key)),
    [model, groups, isFolded, toggled],
  );
  const change = (next: ReadonlySet<string>) => {
    writeLocal(keyOf(project), next.size > 0 ? JSON.stringify([...next]) : null);
    setToggled(next);
  };
  const toggle = (key: string) => change(flipped(toggled, key));
  const toggleAll = (open: boolean) =>
    change(new Set([...groups.values()].filter((group) => isFirstOpen(group, isFolded) !== open).map(({ key }) => key)));
  const [shown, setShown] = useState<string>();
  // Only once for each selection: whoever closes the group again means it.
  if (selected !== shown) {
    setShown(selected);
    const holder = selected === undefined ? undefined : view.inside.get(selected);
    if (holder !== undefined) setToggled(flipped(toggled, holder));
  }
  return { view, groups, toggle, toggleAll };
}
