import { useEffect, useRef, useState } from 'react';

import { readLocal, writeLocal } from '@/lib/local';

import { type Positions, shapeOf } from './layout';
import { layOut } from './layout-worker';
import type { GraphModel } from './model';

interface Kept {
  shape: string;
  positions: [string, number, number][];
}

const keyOf = (project: string) => `dvt.layout.${project}`;

function kept(project: string): { shape: string; positions: Positions } {
  const text = readLocal(keyOf(project));
  if (text === null) return { shape: '', positions: new Map() };
  const { shape, positions } = JSON.parse(text) as Kept;
  return { shape, positions: new Map(positions.map(([key, x, y]) => [key, { x, y }])) };
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function positionsOf(project: string, model: GraphModel, keep: boolean): Promise<Positions> {
  const shape = await digest(shapeOf(model));
  const before = kept(project);
  if (before.shape === shape) return before.positions;
  const positions = await layOut(model, keep ? before.positions : new Map());
  if (keep) {
    const list = [...positions].map(([key, { x, y }]) => [key, x, y] as [string, number, number]);
    writeLocal(keyOf(project), JSON.stringify({ shape, positions: list } satisfies Kept));
  }
  return positions;
}

export interface Layout {
  positions: Positions;
  /** The model that the positions are of. */
  model: GraphModel;
}

/** Answers where the nodes stand; what stood before until a new layout is there. `keep` is false for a part of a graph. */
export function useLayout(project: string, model: GraphModel, keep: boolean): { layout: Layout | null; error: Error | null } {
  const [layout, setLayout] = useState<Layout | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const last = useRef(0);
  useEffect(() => {
    const turn = ++last.current;
    positionsOf(project, model, keep).then(
      (positions) => {
        if (turn === last.current) setLayout({ positions, model });
      },
      (cause: unknown) => setError(cause instanceof Error ? cause : new Error(String(cause))),
    );
  }, [project, model, keep]);
  return { layout, error };
}
