import { BaseEdge, type EdgeProps, getBezierPath } from '@xyflow/react';
import { memo } from 'react';

import { useStorePart } from '@/lib/store';

import styles from './graph.module.css';
import { useWatched } from './graph-node';
import { edgeHeat } from './highlight';

/** Draws one edge; in the accent where it belongs to the node that is selected or pointed at. */
export const GraphEdge = memo(function GraphEdge(edge: EdgeProps) {
  const { highlight } = useWatched();
  const heat = useStorePart(highlight, (all) => edgeHeat(all, edge.source, edge.target));
  const [path] = getBezierPath(edge);
  return <BaseEdge id={edge.id} path={path} className={styles[heat]} interactionWidth={0} />;
});
