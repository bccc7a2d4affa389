import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';

import type { NodeDetail } from '@/api/schema';
import { NodeHistory } from '@/features/history/node-history';
import { NodePanel, facetOf } from '@/features/node/node-panel';
import type { Definition } from '@/lib/sql/definition';
import { useStore } from '@/lib/store';

import { gesture } from '../shell/gesture';
import { useScope } from '../shell/scope';

type Props = {
  id: string;
  state: ReactNode;
  onRun: (node: NodeDetail) => void;
  onBuild: (node: NodeDetail) => void;
  onConnect: (id: string) => void;
  onRemove: (id: string) => void;
  wide: boolean;
  onWide: (wide: boolean) => void;
};

/** Brings the panel of a node together with its history. */
export function GraphNodePanel({ id, ...panel }: Props) {
  const { project, environment, search, change } = useScope();
  const navigate = useNavigate();
  // Who leaves the node has left its rename.
  useEffect(() => () => {
    const begun = gesture.get();
    if (begun?.kind === 'rename' && begun.id === id) gesture.set(null);
  }, [id]);
  const asked = useStore(gesture);
  const go = (found: Definition) => {
    if ('node' in found) void change({ node: found.node, tab: undefined, line: undefined });
    else void navigate({ to: '/projects/$project/files', params: { project }, search: { path: found.path, line: found.line } });
  };
  return (
    <NodePanel
      project={project}
      environment={environment}
      id={id}
      facet={facetOf(search.tab)}
      line={search.line}
      history={<NodeHistory project={project} id={id} />}
      {...panel}
      renaming={asked?.kind === 'rename' && asked.id === id}
      onRenaming={(renaming) => gesture.set(renaming ? { kind: 'rename', id } : null)}
      onFacet={(tab) => void change({ tab: tab === 'sql' ? undefined : tab, line: undefined }, true)}
      onGo={go}
      onMoved={(node) => void change({ node }, true)}
      onClose={() => void change({ node: undefined, tab: undefined, line: undefined }, true)}
    />
  );
}
