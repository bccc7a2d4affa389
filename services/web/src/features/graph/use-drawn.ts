import { useMemo } from 'react';

import { type DustNodeType, LARGE, dustNode } from './dust';
import { edgesNode } from './edges-layer';
import type { View } from './groups';
import type { Point } from './layout';
import type { Drawn } from './place';

/** Answers what is drawn where: below the nodes their edges; in a large graph, seen from far away, dust instead of nodes. */
export function useDrawn(view: View, nodes: readonly Drawn[], { current, isFar }: { current: string | undefined; isFar: boolean }): { drawn: Drawn[]; dust: DustNodeType | undefined } {
  const { edges } = view;
  const isLarge = view.nodes.size > LARGE;
  const dust = useMemo(() => (isLarge ? dustNode(nodes.filter((node) => node.type === 'dbt'), isFar)[0] : undefined), [isLarge, nodes, isFar]);
  const layer = useMemo(() => edgesNode(edges, new Map(nodes.flatMap((node): [string, Point][] => (node.type === 'frame' ? [] : [[node.id, node.position]])))), [edges, nodes]);
  const drawn = useMemo(() => {
    const isSeen = (node: Drawn) => !isFar || node.type !== 'dbt' || node.id === current || node.selected === true;
    return [...layer, ...(dust ? [dust] : []), ...nodes.filter(isSeen)];
  }, [layer, dust, nodes, isFar, current]);
  return { drawn, dust };
}
