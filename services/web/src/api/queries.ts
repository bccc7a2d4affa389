import { type UseQueryOptions, keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { get, path } from './client';
import { keys } from './keys';
import type {
  CompiledNode,
  Diagnostics,
  Environments,
  EventDetail,
  FileText,
  FileTree,
  Graph,
  HistoryPage,
  NodeDetail,
  Preview,
  ProjectDetail,
  Projects,
  Publishes,
  RunDetail,
  Runs,
  Selection,
  StepLog,
  StepSql,
} from './schema';
import { knownVersion } from './versions';

/** How often what waits in a queue is asked again, beside what the live stream says. */
const PENDING_MS = 1000;
const PREVIEW_MS = 150;
/** A diff of an event never changes. */
const FOR_EVER = { staleTime: Infinity };

const of = (project: string) => path('projects', project);

type Options<T> = Pick<UseQueryOptions<T>, 'enabled'>;

/** Lists the projects. */
export function useProjects() {
  return useQuery({ queryKey: keys.projects, queryFn: ({ signal }) => get<Projects>('/projects', { signal }) });
}

function isWaiting({ last_run, published, counts }: ProjectDetail): boolean {
  return (last_run && last_run.state !== 'finished') || published?.state === 'pending' || !counts;
}

/** Answers one project. */
export function useProject(project: string) {
  return useQuery({
    queryKey: keys.detail(project),
    queryFn: ({ signal }) => get<ProjectDetail>(of(project), { signal }),
    refetchInterval: ({ state }) => (state.data && isWaiting(state.data) ? PENDING_MS : false),
  });
}

function fileQuery(project: string, environment?: string) {
  return { environment, min_version: knownVersion(project) };
}

/** Answers the graph. */
export function useGraph(project: string, environment: string) {
  return useQuery({
    queryKey: keys.graph(project, environment),
    queryFn: ({ signal }) =>
      get<Graph>(`${of(project)}/graph`, { signal, query: fileQuery(project, environment) }),
    placeholderData: keepPreviousData,
  });
}

/** Answers what a selector finds. */
export function useSelection(project: string, environment: string, select: string) {
  return useQuery({
    queryKey: keys.selection(project, environment, select),
    queryFn: ({ signal }) =>
      get<Selection>(`${of(project)}/selection`, { signal, query: { ...fileQuery(project, environment), select } }),
    enabled: select !== '',
    placeholderData: keepPreviousData,
  });
}

/** Lists what is wrong in the files. */
export function useDiagnostics(project: string, environment: string) {
  return useQuery({
    queryKey: keys.diagnostics(project, environment),
    queryFn: ({ signal }) =>
      get<Diagnostics>(`${of(project)}/diagnostics`, { signal, query: fileQuery(project, environment) }),
    placeholderData: keepPreviousData,
  });
}

/** Lists the files. */
export function useTree(project: string, options: Options<FileTree> = {}) {
  return useQuery({
    queryKey: keys.tree(project),
    queryFn: ({ signal }) => get<FileTree>(`${of(project)}/tree`, { signal, query: fileQuery(project) }),
    ...options,
  });
}

/** Answers one file. */
export function useFile(project: string, file: string, options: Options<FileText> = {}) {
  return useQuery({
    queryKey: keys.file(project, file),
    queryFn: ({ signal }) =>
      get<FileText>(`${of(project)}/files${path(...file.split('/'))}`, { signal, query: fileQuery(project) }),
    ...options,
  });
}

/** Answers one file as it was at an earlier version. */
export function useFileAt(project: string, file: string, version: number, options: Options<FileText> = {}) {
  return useQuery({
    queryKey: keys.fileAt(project, file, version),
    queryFn: ({ signal }) =>
      get<FileText>(`${of(project)}/files${path(...file.split('/'))}`, { signal, query: { at_version: version } }),
    ...FOR_EVER,
    ...options,
  });
}

/** Answers one node. */
export function useNode(project: string, environment: string, id: string) {
  return useQuery({
    queryKey: keys.node(project, environment, id),
    queryFn: ({ signal }) =>
      get<NodeDetail>(`${of(project)}/nodes${path(id)}`, { signal, query: fileQuery(project, environment) }),
  });
}

/** Answers what a node compiles to. */
export function useCompiled(project: string, environment: string, id: string) {
  return useQuery({
    queryKey: keys.compiled(project, environment, id),
    queryFn: ({ signal }) =>
      get<CompiledNode>(`${of(project)}/nodes${path(id)}/compiled`, {
        signal,
        query: fileQuery(project, environment),
      }),
    placeholderData: keepPreviousData,
  });
}

/** Lists what was done in a project, newest first. */
export function useHistory(project: string) {
  return useInfiniteQuery({
    queryKey: keys.history(project),
    queryFn: ({ signal, pageParam }) =>
      get<HistoryPage>(`${of(project)}/history`, { signal, query: { cursor: pageParam } }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Lists what was done to a node, newest first. */
export function useNodeHistory(project: string, id: string) {
  return useInfiniteQuery({
    queryKey: keys.nodeHistory(project, id),
    queryFn: ({ signal, pageParam }) =>
      get<HistoryPage>(`${of(project)}/nodes${path(id)}/history`, { signal, query: { cursor: pageParam } }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Answers one event with its diff. */
export function useEvent(project: string, id: string) {
  return useQuery({
    queryKey: keys.event(project, id),
    queryFn: ({ signal }) => get<EventDetail>(`${of(project)}/history${path(id)}`, { signal }),
    ...FOR_EVER,
  });
}

/** Lists runs, newest first. */
export function useRuns(project: string) {
  return useQuery({
    queryKey: keys.runs(project),
    queryFn: ({ signal }) => get<Runs>(`${of(project)}/runs`, { signal }),
    refetchInterval: ({ state }) =>
      state.data?.runs.some((run) => run.state !== 'finished') === true ? PENDING_MS : false,
  });
}

/** Answers one run with its steps. */
export function useRun(project: string, run: string | undefined) {
  return useQuery({
    queryKey: keys.run(project, run ?? ''),
    queryFn: ({ signal }) => get<RunDetail>(`${of(project)}/runs${path(run ?? '')}`, { signal }),
    enabled: run !== undefined,
    refetchInterval: ({ state }) => (state.data && state.data.state !== 'finished' ? PENDING_MS : false),
  });
}

/** Answers the log of a step, and follows it until it is done. */
export function useStepLog(project: string, run: string, step: string) {
  return useQuery({
    queryKey: keys.stepLog(project, run, step),
    queryFn: ({ signal }) => get<StepLog>(`${of(project)}/runs${path(run, 'steps', step, 'log')}`, { signal }),
    refetchInterval: ({ state }) => (state.data?.done === false ? PENDING_MS : false),
  });
}

/** Answers the SQL that a step sent. */
export function useStepSql(project: string, run: string, step: string, options: Options<StepSql> = {}) {
  return useQuery({
    queryKey: keys.stepSql(project, run, step),
    queryFn: ({ signal }) => get<StepSql>(`${of(project)}/runs${path(run, 'steps', step, 'sql')}`, { signal }),
    ...options,
  });
}

/** Lists publications, newest first. */
export function usePublishes(project: string) {
  return useQuery({
    queryKey: keys.publishes(project),
    queryFn: ({ signal }) => get<Publishes>(`${of(project)}/publishes`, { signal }),
    refetchInterval: ({ state }) =>
      state.data?.publishes.some((publish) => publish.state === 'pending') === true ? PENDING_MS : false,
  });
}

/** Lists the environments. */
export function useEnvironments(project: string) {
  return useQuery({
    queryKey: keys.environments(project),
    queryFn: ({ signal }) => get<Environments>(`${of(project)}/environments`, { signal }),
  });
}

/** Follows a preview until it is done. */
export function usePreview(project: string, preview: string | undefined) {
  return useQuery({
    queryKey: keys.preview(project, preview ?? ''),
    queryFn: ({ signal }) => get<Preview>(`${of(project)}/previews${path(preview ?? '')}`, { signal }),
    enabled: preview !== undefined,
    refetchInterval: ({ state }) => (state.data === undefined || state.data.state === 'pending' ? PREVIEW_MS : false),
    staleTime: Infinity,
  });
}
