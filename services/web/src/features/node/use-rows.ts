import type { UseMutationResult } from '@tanstack/react-query';
import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useAskFailures, useAskRows } from '@/api/mutations';
import { usePreview } from '@/api/queries';
import type { Place, PreviewRef, PreviewRows, Problem } from '@/api/schema';

/** How many rows a preview asks for; the most that the API gives. */
const LIMIT = 500;

/** How a preview stands. */
export type Rows =
  | { state: 'none' }
  | { state: 'pending' }
  | { state: 'done'; rows: PreviewRows }
  | { state: 'refused'; problem: Problem }
  | { state: 'failed'; code: string; message: string; sqlstate: string | null; place: Place | null };

export interface Asking {
  rows: Rows;
  /** The CTE whose rows were asked for last. */
  cte: string | undefined;
  /** Asks for the first rows of the node, or of a text instead of its own; of one CTE of it where one is named. */
  ask: (sql: string | null, cte?: string) => void;
}

/** Follows the answer to a question for rows. */
function useAnswer<Wanted>(project: string, asked: UseMutationResult<PreviewRef, Error, Wanted>) {
  const [id, setId] = useState<string>();
  const { data, error } = usePreview(project, id);
  const ask = (wanted: Wanted) => asked.mutate(wanted, { onSuccess: ({ preview_id }) => setId(preview_id) });
  const rows = (): Rows => {
    if (asked.isPending) return { state: 'pending' };
    const refused = asked.error ?? error;
    if (refused) return { state: 'refused', problem: asProblem(refused) };
    if (id === undefined) return { state: 'none' };
    if (!data || data.state === 'pending') return { state: 'pending' };
    if (data.state === 'done') return { state: 'done', rows: data };
    return { state: 'failed', code: data.code, message: data.message, sqlstate: data.sqlstate ?? null, place: data.place ?? null };
  };
  return { rows: rows(), ask };
}

/** Asks for the first rows of a node, and follows the answer. */
export function useRows(project: string, environment: string, uniqueId: string): Asking {
  const { rows, ask } = useAnswer(project, useAskRows(project));
  const [cte, setCte] = useState<string>();
  return {
    rows,
    cte,
    ask: (sql, wanted) => {
      setCte(wanted);
      ask({ unique_id: uniqueId, sql, cte: wanted ?? null, environment, limit: LIMIT });
    },
  };
}

/** Asks for the rows that the query of a run's test finds now, and follows the answer. */
export function useFailures(project: string, run: string, test: string): Asking {
  const { rows, ask } = useAnswer(project, useAskFailures(project, LIMIT));
  return { rows, cte: undefined, ask: () => ask({ run, test }) };
}
