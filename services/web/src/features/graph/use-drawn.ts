import { useMemo } from 'react';

import { type DustNodeType, LARGE, dustNode } from './dust';
import { edgesNode } from './edges-layer';
import type { View } from './groups';
import type { Point } from './layout';
import type { Drawn } from './place';
import { plainNodes } from './plain-nodes';
import { useMounted } from './use-mounted';

interface Wanted {
  current: string | undefined;
  /** Nodes that gestures need. */
  held: ReadonlySet<string | undefined>;
  isFar: boolean;
  /** Told of a press on a node that is not React Flow's. */
  onPress: (key: string | undefined) => void;
}

/** Answers what is drawn where: below the nodes their edges; in a large graph dust, and over it those nodes that can be read. */
export function useDrawn(view: View, nodes: readonly Drawn[], { current, held, isFar, onPress }: Wanted): { drawn: Drawn[]; dust: DustNodeType | undefined } {
  const { edges } = view;
  const isLarge = view.nodes.size > LARGE;
  const many = useMemo(() => (isLarge ? nodes.filter((node) => node.type === 'dbt') : []), [isLarge, nodes]);
  const dust = useMemo(() => dustNode(many)[0], [many]);
  const layer = useMemo(() => edgesNode(edges, new Map(nodes.flatMap((node): [string, Point][] => (node.type === 'frame' ? [] : [[node.id, node.position]])))), [edges, nodes]);
  const mounted = useMounted(many, !isFar);
  const drawn = useMemo(() => {
    if (!dust) return [...layer, ...nodes];
    const isOwn = ({ id, type, selected, dragging }: Drawn) => type !== 'dbt' || id === current || selected === true || dragging === true || held.has(id);
    const plain = many.filter((node) => mounted.has(node.id) && !isOwn(node));
    return [...layer, dust, plainNodes(dust, plain, onPress), ...nodes.filter(isOwn)];
  }, [layer, dust, many, nodes, current, held, mounted, onPress]);
  return { drawn, dust };
}
