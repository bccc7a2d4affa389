/** The keys of the query cache. All of a project is under `['project', id]`. */
export const keys = {
  projects: ['projects'] as const,
  project: (project: string) => ['project', project] as const,
  detail: (project: string) => ['project', project, 'detail'] as const,
  /** What is a function of the branch's files. */
  files: (project: string) => ['project', project, 'files'] as const,
  graph: (project: string, environment: string) => ['project', project, 'files', 'graph', environment] as const,
  diagnostics: (project: string, environment: string) =>
    ['project', project, 'files', 'diagnostics', environment] as const,
  selection: (project: string, environment: string, select: string) =>
    ['project', project, 'files', 'selection', environment, select] as const,
  tree: (project: string) => ['project', project, 'files', 'tree'] as const,
  file: (project: string, path: string) => ['project', project, 'files', 'file', path] as const,
  fileAt: (project: string, path: string, version: number) => ['project', project, 'file-at', path, version] as const,
  node: (project: string, environment: string, id: string) =>
    ['project', project, 'files', 'node', environment, id] as const,
  columns: (project: string, environment: string, id: string) =>
    ['project', project, 'columns', environment, id] as const,
  compiled: (project: string, environment: string, id: string) =>
    ['project', project, 'files', 'compiled', environment, id] as const,
  search: (project: string, text: string) => ['project', project, 'files', 'search', text] as const,
  names: (project: string, environment: string) => ['project', project, 'files', 'names', environment] as const,
  plan: (project: string, wanted: unknown) => ['project', project, 'files', 'plan', wanted] as const,
  edit: (project: string, intent: unknown) => ['project', project, 'files', 'edit', intent] as const,
  removal: (project: string, id: string) => ['project', project, 'files', 'removal', id] as const,
  diff: (project: string, from: number) => ['project', project, 'files', 'diff', from] as const,
  presence: (project: string, node: string | undefined) => ['project', project, 'presence', node] as const,
  nodeHistory: (project: string, id: string) => ['project', project, 'files', 'node-history', id] as const,
  history: (project: string) => ['project', project, 'history'] as const,
  historyOf: (project: string, kind: string) => ['project', project, 'history', kind] as const,
  event: (project: string, id: string) => ['project', project, 'event', id] as const,
  runs: (project: string) => ['project', project, 'runs'] as const,
  run: (project: string, run: string) => ['project', project, 'run', run] as const,
  stepLog: (project: string, run: string, step: string) => ['project', project, 'run', run, 'log', step] as const,
  stepSql: (project: string, run: string, step: string) => ['project', project, 'run', run, 'sql', step] as const,
  publishes: (project: string) => ['project', project, 'publishes'] as const,
  environments: (project: string) => ['project', project, 'environments'] as const,
  preview: (project: string, preview: string) => ['project', project, 'preview', preview] as const,
};
