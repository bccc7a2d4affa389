import type { ReactNode } from 'react';

import type { NodeDetail } from '@/api/schema';
import { NodeHistory } from '@/features/history/node-history';
import { NodePanel, facetOf } from '@/features/node/node-panel';

import { useScope } from '../shell/scope';

type Props = { id: string; state: ReactNode; onRun: (node: NodeDetail) => void };

/** Brings the panel of a node together with its history. */
export function GraphNodePanel({ id, state, onRun }: Props) {
  const { project, environment, search, change } = useScope();
  return (
    <NodePanel
      project={project}
      environment={environment}
      id={id}
      facet={facetOf(search.tab)}
      line={search.line}
      history={<NodeHistory project={project} id={id} />}
      state={state}
      onFacet={(tab) => void change({ tab: tab === 'sql' ? undefined : tab, line: undefined }, true)}
      onRun={onRun}
      onMoved={(node) => void change({ node }, true)}
      onClose={() => void change({ node: undefined, tab: undefined, line: undefined }, true)}
    />
  );
}
