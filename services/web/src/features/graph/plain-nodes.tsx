import type { Node, NodeProps } from '@xyflow/react';
import { memo } from 'react';

import { useStorePart } from '@/lib/store';

import type { DustNodeType } from './dust';
import styles from './graph.module.css';
import { type DbtNode, NodeBox, useWatched } from './graph-node';
import { nodeMark } from './highlight';
import { keyAt } from './use-pointer';

export type PlainNodesType = Node<{ nodes: readonly DbtNode[]; onPress: (key: string | undefined) => void }, 'plain'>;

/** Makes the layer of the nodes of a large graph that nobody points at, in the place of its dust: React Flow's own nodes cost too much to move past each other at 60 frames a second. */
export function plainNodes(dust: DustNodeType, nodes: readonly DbtNode[], onPress: PlainNodesType['data']['onPress']): PlainNodesType {
  return { ...dust, id: 'plain', type: 'plain', data: { nodes, onPress } };
}

const Plain = memo(function Plain({ id, x, y, node }: { id: string; x: number; y: number; node: DbtNode['data']['node'] }) {
  const { highlight } = useWatched();
  const mark = useStorePart(highlight, (all) => nodeMark(all, id));
  return (
    <div className={styles.placed} style={{ transform: `translate(${x}px, ${y}px)` }} data-key={id}>
      <NodeBox node={node} mark={mark} />
    </div>
  );
});

/** Draws nodes that can only be pointed at and pressed; the one that is pointed at becomes one of React Flow's. */
export const PlainNodes = memo(function PlainNodes({ data: { nodes, onPress }, positionAbsoluteX, positionAbsoluteY }: NodeProps<PlainNodesType>) {
  return (
    // A touch presses what it has not pointed at; keys walk the canvas.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events
    <div onClick={({ target }) => onPress(keyAt(target))}>
      {nodes.map(({ id, position, data }) => (
        <Plain key={id} id={id} x={position.x - positionAbsoluteX} y={position.y - positionAbsoluteY} node={data.node} />
      ))}
    </div>
  );
});
