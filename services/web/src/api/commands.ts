import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';

import { sayRefused, sayWrote } from '@/lib/strip';

import { ApiProblem, asProblem, path, post } from './client';
import { keys } from './keys';
import type { CommandResult, Intent, PlaceNode as Place, Problem, Results } from './schema';
import { noteVersion } from './versions';

/** What a hook for one kind of intent takes: the intent, and the version of the branch that the user saw. */
export type Meant<T extends Intent['type']> = Omit<Extract<Intent, { type: T }>, 'type'> & { baseVersion: number };

/** The description of the API leaves the tag of this one out. */
type PlaceNode = Place & { type: 'place_node' };

function isRefusal(outcome: CommandResult | Problem): outcome is Problem {
  return 'code' in outcome;
}

async function sendAll(project: string, commands: (Intent | PlaceNode)[], baseVersion: number | null): Promise<CommandResult[]> {
  const items = commands.map((command) => ({ idempotency_key: crypto.randomUUID(), base_version: baseVersion, command }));
  const { results } = await post<Results>(`${path('projects', project)}/commands`, { body: { commands: items } });
  const done = results.filter((outcome): outcome is CommandResult => !isRefusal(outcome));
  const refused = results.find(isRefusal);
  if (refused) throw new ApiProblem(refused);
  return done;
}

async function send(project: string, command: Intent | PlaceNode, baseVersion: number | null) {
  const [outcome] = await sendAll(project, [command], baseVersion);
  if (!outcome) throw new Error('the answer holds no result');
  return outcome;
}

/** Takes the version that an edit came to, and reads again what it may have changed; done when that is read. */
function edited(client: QueryClient, project: string, result: CommandResult): Promise<void> {
  noteVersion(project, result.version);
  sayWrote({ summary: result.summary, files: result.files, eventId: result.event_id ?? null });
  return client.invalidateQueries({ queryKey: keys.files(project) });
}

function useIntent<T extends Intent['type']>(project: string, type: T) {
  const client = useQueryClient();
  return useMutation<CommandResult, Error, Meant<T>>({
    mutationKey: [type],
    mutationFn: ({ baseVersion, ...members }) => send(project, { type, ...members } as unknown as Intent, baseVersion),
    onSuccess: (result) => edited(client, project, result),
    onError: (error) => {
      const problem = asProblem(error);
      sayRefused(problem.code, problem.detail);
    },
  });
}

/** Adds a model. */
export const useAddNode = (project: string) => useIntent(project, 'add_node');
/** Renames a node, everywhere it is named. */
export const useRenameNode = (project: string) => useIntent(project, 'rename_node');
/** Removes a node with its file and its YAML entries. */
export const useRemoveNode = (project: string) => useIntent(project, 'remove_node');
/** Makes one node depend on another. */
export const useConnect = (project: string) => useIntent(project, 'connect');
/** Takes a dependency away. */
export const useDisconnect = (project: string) => useIntent(project, 'disconnect');
/** Replaces the text that defines a node. */
export const useSetSql = (project: string) => useIntent(project, 'set_sql');
/** Sets a config of a node. */
export const useConfigure = (project: string) => useIntent(project, 'configure');
/** Sets a node's description. */
export const useDescribeNode = (project: string) => useIntent(project, 'describe_node');
/** Sets a column's description. */
export const useDescribeColumn = (project: string) => useIntent(project, 'describe_column');
/** Declares columns of a node with their types. */
export const useDeclareColumns = (project: string) => useIntent(project, 'declare_columns');
/** Adds a generic test. */
export const useAddTest = (project: string) => useIntent(project, 'add_test');
/** Removes a test. */
export const useRemoveTest = (project: string) => useIntent(project, 'remove_test');
/** Declares tables of a source. */
export const useDeclareSource = (project: string) => useIntent(project, 'declare_source');
/** Replaces the text of a file. */
export const useSaveFile = (project: string) => useIntent(project, 'save_file');
/** Adds a file of text. */
export const useAddFile = (project: string) => useIntent(project, 'add_file');
/** Moves a file. */
export const useMoveFile = (project: string) => useIntent(project, 'move_file');
/** Removes a file. */
export const useRemoveFile = (project: string) => useIntent(project, 'remove_file');

/** Removes nodes, in the order that is given. */
export function useRemoveNodes(project: string) {
  const client = useQueryClient();
  return useMutation<CommandResult[], Error, { ids: string[]; baseVersion: number }>({
    mutationKey: ['remove_nodes'],
    mutationFn: ({ ids, baseVersion }) => sendAll(project, ids.map((unique_id) => ({ type: 'remove_node', unique_id })), baseVersion),
    onSuccess: async (results) => {
      const last = results.at(-1);
      if (!last) return;
      const files = results.flatMap((result) => result.files);
      const summary = results.length === 1 ? last.summary : `removed ${results.length} nodes`;
      await edited(client, project, { ...last, summary, files });
    },
    // Those before the one that was refused are gone.
    onError: () => client.invalidateQueries({ queryKey: keys.files(project) }),
  });
}

/** Pins a node at a place of the canvas. */
export function usePlaceNode(project: string) {
  return useMutation<CommandResult, Error, Place>({
    mutationKey: ['place_node'],
    mutationFn: (place) => send(project, { type: 'place_node', ...place }, null),
  });
}
