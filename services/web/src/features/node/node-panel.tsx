import type { ReactNode } from 'react';

import { asProblem } from '@/api/client';
import { useNode } from '@/api/queries';
import type { NodeDetail } from '@/api/schema';
import { Skeleton, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { CloseIcon } from '@/components/ui/icons';
import { ProblemBlank } from '@/components/ui/problem';
import { type Tab, Tabs } from '@/components/ui/tabs';
import type { Definition } from '@/lib/sql/definition';
import { useEditing } from '@/lib/use-editing';

import { ColumnsTab } from './columns-tab';
import { CompiledTab } from './compiled-tab';
import { ConfigTab } from './config-tab';
import { NodeHead } from './node-head';
import styles from './node.module.css';
import { Preview } from './preview-tab';
import { SqlTab, useSaveNode } from './sql-tab';
import { useRows } from './use-rows';

const FACETS = ['sql', 'compiled', 'columns', 'config', 'history', 'preview'] as const;
export type Facet = (typeof FACETS)[number];

/** Answers the facet that an address names; the SQL where it names none. */
export function facetOf(name: string | undefined): Facet {
  return FACETS.find((facet) => facet === name) ?? 'sql';
}

export interface NodePanelProps {
  project: string;
  environment: string;
  /** The node's unique_id. */
  id: string;
  facet: Facet;
  line: number | undefined;
  /** What was done to the node. */
  history: ReactNode;
  /** How the node stands in the last run. */
  state: ReactNode;
  onFacet: (facet: Facet) => void;
  onRun: (node: NodeDetail) => void;
  /** Runs the node with all that it reads. */
  onBuild: (node: NodeDetail) => void;
  /** Goes to where something is defined. */
  onGo: (definition: Definition) => void;
  /** Asks to connect the node, and to remove it. */
  onConnect: (id: string) => void;
  onRemove: (id: string) => void;
  /** Whether the node is being renamed. */
  renaming: boolean;
  onRenaming: (renaming: boolean) => void;
  wide: boolean;
  onWide: (wide: boolean) => void;
  /** The node has another unique_id now. */
  onMoved: (id: string) => void;
  onClose: () => void;
}

function tabsOf(node: NodeDetail): Tab<Facet>[] {
  const isSql = /\.(sql|py)$/i.test(node.path);
  const hasRows = ['model', 'seed', 'snapshot', 'source', 'analysis'].includes(node.resource_type);
  const compiles = ['model', 'snapshot', 'analysis'].includes(node.resource_type);
  return [
    { id: 'sql', label: isSql ? 'SQL' : 'Source' },
    ...(compiles ? [{ id: 'compiled' as const, label: 'Compiled' }] : []),
    { id: 'columns', label: 'Columns & tests' },
    { id: 'config', label: 'Config' },
    { id: 'history', label: 'History' },
    ...(hasRows ? [{ id: 'preview' as const, label: 'Preview' }] : []),
  ];
}

function Loaded({ node, ...panel }: NodePanelProps & { node: NodeDetail }) {
  const { project, environment, history, line, onFacet, onGo, onRun, onBuild } = panel;
  const text = node.file?.text ?? '';
  const editing = useEditing(project, { path: node.path, text, version: node.version });
  const saving = useSaveNode(project, node, editing);
  const asking = useRows(project, environment, node.unique_id);
  const tabs = tabsOf(node);
  const facet = tabs.some((tab) => tab.id === panel.facet) ? panel.facet : 'sql';
  const content: Record<Facet, () => ReactNode> = {
    sql: () => <SqlTab project={project} environment={environment} node={node} editing={editing} saving={saving} asking={asking} line={line} onGo={onGo} onRun={onRun} onBuild={onBuild} />,
    compiled: () => <CompiledTab project={project} environment={environment} node={node} />,
    columns: () => <ColumnsTab project={project} environment={environment} node={node} />,
    config: () => <ConfigTab project={project} node={node} />,
    history: () => history,
    preview: () => <Preview asking={asking} onAsk={() => asking.ask(editing.isDirty ? editing.text : null)} onBuild={() => onBuild(node)} />,
  };
  return (
    <>
      <NodeHead {...panel} node={node} isDraft={editing.isDirty} />
      <Tabs tabs={tabs} value={facet} onChange={onFacet} label="Facets of the node">
        {content[facet]()}
      </Tabs>
    </>
  );
}

function Waiting({ onClose }: Pick<NodePanelProps, 'onClose'>) {
  return (
    <>
      <div className={styles.head}>
        <div className={styles.title}>
          <Skeleton width={200} height={18} />
          <span data-gap />
          <Button look="icon" aria-label="Close the panel" onClick={onClose}>
            <CloseIcon size={14} />
          </Button>
        </div>
      </div>
      <SkeletonLines lines={12} label="Loading the node" />
    </>
  );
}

/** Shows a node: its tabs are its facets. */
export function NodePanel(panel: NodePanelProps) {
  const { project, environment, id, onClose } = panel;
  const { data, error, refetch } = useNode(project, environment, id);
  return (
    <aside className={styles.panel} aria-label={data ? `${data.resource_type} ${data.name}` : 'Node'}>
      {data ? (
        <Loaded key={data.node_key} node={data} {...panel} />
      ) : error ? (
        <ProblemBlank problem={asProblem(error)} onRetry={asProblem(error).status === 404 ? onClose : () => void refetch()} />
      ) : (
        <Waiting onClose={onClose} />
      )}
    </aside>
  );
}
