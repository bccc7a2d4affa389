import { useEffect, useMemo, useRef, useState } from 'react';

import { readLocal, writeLocal } from '@/lib/local';

import type { View } from './groups';
import type { Positions } from './layout';
import { layOut } from './layout-worker';
import { layOutStages } from './stages';

const keyOf = (project: string) => `dvt.places.${project}`;
/** Where the nodes of each project stood last; those of closed groups keep their place in the order. */
const memory = new Map<string, Positions>();

function kept(project: string): Positions {
  const list = JSON.parse(readLocal(keyOf(project)) ?? '[]') as [string, number, number][];
  return new Map(list.map(([key, x, y]) => [key, { x, y }]));
}

/** Lays a graph out near where this browser drew it last; asked twice for the same it answers the same. */
function layOutAgain(project: string, view: View): Layout {
  const known = memory.get(project) ?? kept(project);
  const positions = layOutStages(view, known);
  const next = new Map([...known, ...positions]);
  memory.set(project, next);
  writeLocal(keyOf(project), JSON.stringify([...next].map(([key, { x, y }]) => [key, x, y])));
  return { positions, view };
}

export interface Layout {
  positions: Positions;
  /** What the positions are of. */
  view: View;
}

/** Answers where nodes stand: the whole graph by its stages; a part of it as the layout engine has it, once it has. */
export function useLayout(project: string, whole: View, part: View | null): { layout: Layout; error: Error | null } {
  const stages = useMemo(() => layOutAgain(project, whole), [project, whole]);
  const [laid, setLaid] = useState<Layout | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const last = useRef(0);
  useEffect(() => {
    if (!part) return;
    const turn = ++last.current;
    layOut(part).then(
      (positions) => {
        if (turn === last.current) setLaid({ positions, view: part });
      },
      (cause: unknown) => setError(cause instanceof Error ? cause : new Error(String(cause))),
    );
  }, [part]);
  return { layout: part && laid?.view === part ? laid : stages, error };
}
