import { MiniMap, Panel, useReactFlow } from '@xyflow/react';
import { type ReactNode, useMemo } from 'react';

import { Button } from '@/components/ui/button';
import { FitIcon, FocusIcon, FoldIcon, MinusIcon, PlusIcon, UnfoldIcon } from '@/components/ui/icons';
import { Tooltip } from '@/components/ui/overlay';

import { type DustNodeType, mapNode } from './dust';
import styles from './graph.module.css';

/** How the graph is fitted into the canvas; below it stand the map and the tools. */
export const FIT = { padding: { top: '28px', right: '32px', bottom: '124px', left: '32px' }, maxZoom: 1, duration: 180 } as const;

/** Is a button of the tools; one that does nothing now stays in its place. */
function Tool({ says, onClick, children }: { says: string; onClick: (() => void) | undefined; children: ReactNode }) {
  return (
    <Tooltip says={says}>
      <Button look="icon" aria-label={says} disabled={onClick === undefined} onClick={onClick}>
        {children}
      </Button>
    </Tooltip>
  );
}

type ToolsProps = {
  onFit: () => void;
  /** Undefined where there is nothing to open or close. */
  onToggleAll: ((open: boolean) => void) | undefined;
  /** Shows only what is around the selected node; undefined where none is selected. */
  onFocus: (() => void) | undefined;
  onAdd: () => void;
};

/** Zooms, opens and closes groups, adds a node. */
export function Tools({ onFit, onToggleAll, onFocus, onAdd }: ToolsProps) {
  const flow = useReactFlow();
  return (
    <Panel position="bottom-left" className={styles.tools ?? ''}>
      <Button look="quiet" onClick={onAdd}>
        <PlusIcon size={14} /> Add node <kbd>A</kbd>
      </Button>
      <hr />
      <Tool says="Zoom out" onClick={() => void flow.zoomOut({ duration: 120 })}>
        <MinusIcon />
      </Tool>
      <Tool says="Zoom in" onClick={() => void flow.zoomIn({ duration: 120 })}>
        <PlusIcon />
      </Tool>
      <Tool says="Zoom to fit" onClick={onFit}>
        <FitIcon />
      </Tool>
      <Tool says="Focus on the node" onClick={onFocus}>
        <FocusIcon />
      </Tool>
      {onToggleAll && (
        <>
          <Tool says="Open all groups" onClick={() => onToggleAll(true)}>
            <UnfoldIcon />
          </Tool>
          <Tool says="Close all groups" onClick={() => onToggleAll(false)}>
            <FoldIcon />
          </Tool>
        </>
      )}
    </Panel>
  );
}

/** Shows the whole graph small, with what of it is in sight. */
export function Overview({ colourOf, dust }: { colourOf: (type: string | undefined, data: unknown) => string; dust: DustNodeType | undefined }) {
  const nodeComponent = useMemo(() => mapNode(dust), [dust]);
  return (
    <MiniMap
      className={styles.minimap ?? ''}
      position="bottom-left"
      style={{ width: 150, height: 92 }}
      ariaLabel="Map of the graph"
      pannable
      zoomable
      bgColor="var(--surface)"
      maskColor="color-mix(in srgb, var(--bg) 70%, transparent)"
      maskStrokeColor="var(--accent)"
      maskStrokeWidth={2}
      nodeColor={(node) => colourOf(node.type, node.data)}
      nodeComponent={nodeComponent}
    />
  );
}

/** Says that only a part of the graph is shown, and leads back to all of it. */
export function FocusNotice({ name, steps, onLeave }: { name: string; steps: number; onLeave: () => void }) {
  return (
    <Panel position="top-center" className={styles.notice ?? ''}>
      <span>
        Around <b className="mono">{name}</b>, {steps} steps each way
      </span>
      <Button look="quiet" onClick={onLeave}>
        Show all <kbd>F</kbd>
      </Button>
    </Panel>
  );
}
