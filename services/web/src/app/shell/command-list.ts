import type { ApiCommand } from '@/api/commands-of-the-api';
import type { Theme } from '@/lib/theme';

import type { Gesture } from './gesture';

/** Is one line of the palette that does something. */
export interface Command {
  label: string;
  /** The shortcut that does the same, as the help writes it. */
  keys?: string;
  /** The commands of the API that it gives, or leads to. */
  does?: ApiCommand[];
  go: () => void;
}

/** Is a node as its commands name it. */
export interface OfNode {
  unique_id: string;
  name: string;
  /** What a selector calls it. */
  select: string;
  isBuilt: boolean;
  parents: { unique_id: string; name: string }[];
}

/** Is what the commands of a page are about. */
export interface Around {
  environment: string;
  select: string;
  version: number | undefined;
  node: OfNode | undefined;
  /** The file that is open. */
  path: string | undefined;
  lastRun: { run_id: string; number: number; isRunning: boolean; isGreen: boolean } | undefined;
}

export type Place = 'graph' | 'files' | 'runs' | 'history' | 'publish' | 'environments';

/** Is what the commands call. */
export interface Acts {
  run: (select: string, fullRefresh?: boolean) => void;
  retry: (run: string) => void;
  cancel: (run: string) => void;
  disconnect: (from: string, to: string) => void;
  begin: (gesture: Gesture, at: Place, node?: string) => void;
  /** Opens a page; of the graph with a facet of a node, the selected one unless one is named. */
  open: (at: Place, tab?: string, node?: string) => void;
  toCanvas: (node: string) => void;
  projects: () => void;
  problems: () => void;
  download: () => void;
  theme: (theme: Theme) => void;
  help: () => void;
}

/** The commands that nobody gives by hand, and who does. */
export const BY_ITSELF: Partial<Record<ApiCommand, string>> = {
  '/api/v1/projects/{project}/compilations': 'a run and a publication compile what they need',
  '/api/v1/projects/{project}/exports': 'the command line, which writes the folder',
  '/api/v1/projects/{project}/presence': 'every page, while it is open',
  '/api/v1/projects/{project}/preview/edit': 'each dialog of an edit, while one types',
  '/api/v1/projects/{project}/preview/remove': 'the dialog of a removal',
  '/api/v1/projects/{project}/preview/rename': 'the field of a rename, while one types',
};

/** Lists what can be done with a node. */
export function ofNode(node: OfNode, acts: Acts): Command[] {
  const { name, select, unique_id: id } = node;
  const facet = (label: string, tab: string, does: ApiCommand[] = []): Command => ({ label, does, go: () => acts.open('graph', tab, id) });
  const runs: Command[] = [
    { label: `Run ${select}`, keys: 'Ctrl Shift Enter', go: () => acts.run(select) },
    { label: `Run +${select}`, go: () => acts.run(`+${select}`) },
    { label: `Run ${select}+`, go: () => acts.run(`${select}+`) },
  ];
  return [
    ...(node.isBuilt ? runs : []),
    { label: `Rename ${name}`, keys: 'F2', does: ['rename_node'], go: () => acts.begin({ kind: 'rename', id }, 'graph', id) },
    { label: `Connect ${name}`, keys: 'C', does: ['connect'], go: () => acts.begin({ kind: 'connect', id }, 'graph', id) },
    ...node.parents.map((parent): Command => ({ label: `Disconnect ${name} from ${parent.name}`, does: ['disconnect'], go: () => acts.disconnect(parent.unique_id, id) })),
    { label: `Remove ${name}`, keys: 'Del', does: ['remove_node'], go: () => acts.begin({ kind: 'remove', ids: [id] }, 'graph', id) },
    { label: `Move ${name} on the canvas`, keys: 'Alt →', does: ['place_node'], go: () => acts.toCanvas(id) },
    facet(`Edit the SQL of ${name}`, 'sql', ['set_sql']),
    facet(`Describe ${name} and its columns`, 'columns', ['describe_node', 'describe_column']),
    facet(`Fill the columns of ${name} from the target`, 'columns', ['declare_columns']),
    facet(`Add a test to ${name}, or remove one`, 'columns', ['add_test', 'remove_test']),
    facet(`Set a config of ${name}`, 'config', ['configure']),
    facet(`Compiled SQL of ${name}`, 'compiled'),
    facet(`Rows of ${name}`, 'preview', ['/api/v1/projects/{project}/preview/data']),
    facet(`History of ${name}`, 'history'),
  ];
}

function ofFile(path: string, acts: Acts): Command[] {
  return [
    { label: `Edit ${path}`, keys: 'Ctrl S', does: ['save_file'], go: () => acts.open('files') },
    { label: `Move ${path}`, does: ['move_file'], go: () => acts.begin({ kind: 'move-file', path }, 'files') },
    { label: `Remove ${path}`, does: ['remove_file'], go: () => acts.begin({ kind: 'remove-file', path }, 'files') },
  ];
}

function ofRuns({ lastRun, select, environment }: Around, acts: Acts): Command[] {
  const does: ApiCommand[] = ['/api/v1/projects/{project}/runs'];
  const last: Command[] = !lastRun
    ? []
    : lastRun.isRunning
      ? [{ label: `Cancel run ${lastRun.number}`, does: ['/api/v1/projects/{project}/runs/{run_id}/cancel'], go: () => acts.cancel(lastRun.run_id) }]
      : lastRun.isGreen
        ? []
        : [
            { label: `Rerun from the failure of run ${lastRun.number}`, does, go: () => acts.retry(lastRun.run_id) },
            { label: `Failing rows of run ${lastRun.number}`, does: ['/api/v1/projects/{project}/runs/{run_id}/steps/{unique_id}/failures'], go: () => acts.open('runs') },
          ];
  return [
    { label: select === '' ? 'Run everything' : `Run ${select}`, keys: 'Ctrl Enter', does, go: () => acts.run(select) },
    { label: 'Run everything with a full refresh', does, go: () => acts.run('', true) },
    { label: `Show the plan of a run in ${environment}`, go: () => acts.begin({ kind: 'plan' }, 'graph') },
    ...last,
  ];
}

/** Lists all that the palette can do beside finding: every command of the API, and the pages. */
export function commandsOf(around: Around, acts: Acts): Command[] {
  const { node, path, environment, version } = around;
  return [
    ...ofRuns(around, acts),
    { label: 'Add a node', keys: 'A', does: ['add_node'], go: () => acts.begin({ kind: 'add', from: node ? [node.unique_id] : [] }, 'graph') },
    { label: 'Declare a source', does: ['declare_source'], go: () => acts.begin({ kind: 'source' }, 'graph') },
    ...(node ? ofNode(node, acts) : []),
    { label: 'Add a file', does: ['add_file'], go: () => acts.begin({ kind: 'new-file' }, 'files') },
    ...(path === undefined ? [] : ofFile(path, acts)),
    { label: `Publish version ${version ?? ''}`, does: ['/api/v1/projects/{project}/publish'], go: () => acts.open('publish') },
    { label: 'New environment', does: ['/api/v1/projects/{project}/environments'], go: () => acts.begin({ kind: 'new-environment' }, 'environments') },
    { label: `Test the connection of ${environment}`, does: ['/api/v1/projects/{project}/environments/{name}/test'], go: () => acts.open('environments') },
    ...(['graph', 'files', 'runs', 'history', 'publish', 'environments'] as const).map((at): Command => ({ label: `Go to ${at.charAt(0).toUpperCase()}${at.slice(1)}`, go: () => acts.open(at) })),
    { label: 'Show problems', keys: 'P', go: acts.problems },
    { label: 'Download the files as a zip', go: acts.download },
    { label: 'New project, or import one', does: ['/api/v1/projects', '/api/v1/projects/import'], go: acts.projects },
    { label: 'All projects', go: acts.projects },
    { label: 'Light theme', go: () => acts.theme('light') },
    { label: 'Dark theme', go: () => acts.theme('dark') },
    { label: 'Theme of the system', go: () => acts.theme('system') },
    { label: 'Keyboard help', keys: '?', go: acts.help },
  ];
}
