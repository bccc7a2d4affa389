import { type UseQueryOptions, keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { get, path, post } from './client';
import { keys } from './keys';
import type {
  Comparison,
  CompiledNode,
  Diagnostics,
  EditPreview,
  Environments,
  EventDetail,
  FileText,
  FileTree,
  Found,
  Graph,
  HistoryPage,
  Intent,
  Names,
  NodeDetail,
  NodeRelation,
  Plan,
  Present,
  Preview,
  ProjectDetail,
  Projects,
  Publishes,
  RemovalPreview,
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

/** Answers the columns that the target has for a node; asked for once, and again when somebody says so. */
export function useActualColumns(project: string, environment: string, id: string, options: Options<NodeRelation> = {}) {
  return useQuery({
    queryKey: keys.columns(project, environment, id),
    queryFn: ({ signal }) => get<NodeRelation>(`${of(project)}/nodes${path(id)}/columns`, { signal, query: { environment } }),
    staleTime: Infinity,
    ...options,
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

/** Says which part of a project's history is wanted. The steps of runs are never in it: the page of the run has them. */
export type HistoryKind = 'all' | 'branch' | 'run' | 'compilation';

/** Answers the names that the files can use: macros, tests, vars, columns. */
export function useNames(project: string, environment: string, options: Options<Names> = {}) {
  return useQuery({
    queryKey: keys.names(project, environment),
    queryFn: ({ signal }) => get<Names>(`${of(project)}/names`, { signal, query: fileQuery(project, environment) }),
    placeholderData: keepPreviousData,
    ...options,
  });
}

/** The shortest text that is searched for. */
const SEARCHED_FROM = 2;

/** Lists the lines of all files in which a text stands. */
export function useSearch(project: string, text: string) {
  return useQuery({
    queryKey: keys.search(project, text),
    queryFn: ({ signal }) => get<Found>(`${of(project)}/search`, { signal, query: { text } }),
    enabled: text.length >= SEARCHED_FROM,
    placeholderData: keepPreviousData,
  });
}

/** Answers what an edit would write; nothing is asked for while there is none. */
export function useEditPreview(project: string, intent: Intent | null) {
  return useQuery({
    queryKey: keys.edit(project, intent),
    queryFn: ({ signal }) => post<EditPreview>(`${of(project)}/preview/edit`, { body: intent, signal }),
    enabled: intent !== null,
    placeholderData: intent === null ? undefined : keepPreviousData,
  });
}

/** Answers what a removal would take and break. */
export function useRemovalPreview(project: string, id: string) {
  return useQuery({
    queryKey: keys.removal(project, id),
    queryFn: ({ signal }) => post<RemovalPreview>(`${of(project)}/preview/remove`, { body: { unique_id: id }, signal }),
  });
}

/** Answers what changed since a version. */
export function useDiff(project: string, from: number | undefined) {
  return useQuery({
    queryKey: keys.diff(project, from ?? 0),
    queryFn: ({ signal }) =>
      get<Comparison>(`${of(project)}/diff`, { signal, query: { from_version: from, min_version: knownVersion(project) } }),
    enabled: from !== undefined,
    placeholderData: keepPreviousData,
  });
}

/** Says what a run is to take. */
export interface PlanWanted {
  environment: string;
  select: string;
  exclude?: string;
}

/** Answers what a run would do, and why. */
export function usePlan(project: string, wanted: PlanWanted | null) {
  return useQuery({
    queryKey: keys.plan(project, wanted),
    queryFn: ({ signal }) =>
      get<Plan>(`${of(project)}/plan`, { signal, query: { ...wanted, min_version: knownVersion(project) } }),
    enabled: wanted !== null,
  });
}

/** Names this page to the others; the same one after a reload. */
const SESSION = session();
/** How often a page says that it is there. */
const PRESENCE_MS = 5_000;

function session(): string {
  const key = 'dvt.session';
  const known = sessionStorage.getItem(key) ?? crypto.randomUUID();
  sessionStorage.setItem(key, known);
  return known;
}

/** Says that this page is open at a node, and answers who else is here. */
export function usePresence(project: string, node: string | undefined) {
  return useQuery({
    queryKey: keys.presence(project, node),
    queryFn: ({ signal }) =>
      post<Present>(`${of(project)}/presence`, { body: { session_id: SESSION, unique_id: node ?? null }, signal }),
    refetchInterval: PRESENCE_MS,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

/** Lists what was done in a project, newest first. */
export function useHistory(project: string, kind: HistoryKind = 'all') {
  return useInfiniteQuery({
    queryKey: keys.historyOf(project, kind),
    queryFn: ({ signal, pageParam }) =>
      get<HistoryPage>(`${of(project)}/history`, { signal, query: { cursor: pageParam, steps: false, category: kind === 'all' ? undefined : kind } }),
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
