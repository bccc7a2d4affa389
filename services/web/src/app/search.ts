/** What the address of a project's pages says beside its path: deep links for a node, a file, a line, a step. */
export interface ProjectSearch {
  /** The environment; `dev` unless given. */
  env?: string;
  /** What a run takes, as dbt's `--select` has it. */
  select?: string;
  /** The unique_id of the node whose panel is open. */
  node?: string;
  tab?: string;
  /** A file of the tree. */
  path?: string;
  line?: number;
  /** The unique_id of the step of a run that is shown. */
  step?: string;
  /** The event of the history that is shown. */
  event?: string;
  /** True while the list of problems is open. */
  problems?: boolean;
}

const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined);

/** Reads the search parameters of a project's page; what it does not know it leaves out. */
export function readSearch(search: Record<string, unknown>): ProjectSearch {
  const line = Number(search.line);
  const read: Record<string, unknown> = {
    env: text(search.env),
    select: text(search.select),
    node: text(search.node),
    tab: text(search.tab),
    path: text(search.path),
    line: Number.isInteger(line) && line > 0 ? line : undefined,
    step: text(search.step),
    event: text(search.event),
    problems: search.problems === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}
