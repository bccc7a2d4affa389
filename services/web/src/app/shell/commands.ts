import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';

import { asProblem } from '@/api/client';
import { useDisconnect } from '@/api/commands';
import { useCancelRun, useStartRun } from '@/api/mutations';
import { useGraph, useProject } from '@/api/queries';
import type { Graph, GraphNode } from '@/api/schema';
import { selectorOf } from '@/lib/selector';
import { sayRefused, sayStarted } from '@/lib/strip';
import { chooseTheme } from '@/lib/theme';

import { type Acts, type Around, type Command, type OfNode, type Place, commandsOf, ofNode } from './command-list';
import { gesture } from './gesture';
import { useRunning } from './run-button';
import { useScope } from './scope';

const ADDRESSES = {
  graph: '/projects/$project',
  files: '/projects/$project/files',
  runs: '/projects/$project/runs',
  history: '/projects/$project/history',
  publish: '/projects/$project/publish',
  environments: '/projects/$project/environments',
} as const satisfies Record<Place, string>;
const BUILT = new Set(['model', 'seed', 'snapshot']);

/** How many nodes that are named after a verb get commands. */
const NAMED = 3;

/** Answers a node of the graph with what it reads. */
function nodeAt(graph: Graph, at: number): OfNode | undefined {
  const node = graph.nodes[at];
  if (!node) return undefined;
  const parents = graph.edges.flatMap(([from, to]) => (to === at && from !== undefined && graph.nodes[from] ? [graph.nodes[from]] : []));
  return { ...node, select: selectorOf(node), isBuilt: BUILT.has(node.resource_type), parents: node.resource_type === 'model' ? parents : [] };
}

/** Answers the selected node, and those that are named after a verb, as in `rename orders`. */
function useNodes(typed: string): { selected: OfNode | undefined; named: OfNode[] } {
  const { project, environment, search } = useScope();
  const { data: graph } = useGraph(project, environment);
  return useMemo(() => {
    if (!graph) return { selected: undefined, named: [] };
    const [, wanted] = /\s(\S{2,})$/.exec(typed) ?? [];
    const fits = (node: GraphNode) => wanted !== undefined && node.unique_id !== search.node && node.name.includes(wanted.toLowerCase());
    const found = graph.nodes.flatMap((node, at) => (fits(node) ? [{ at, length: node.name.length }] : [])).sort((one, other) => one.length - other.length);
    const named = found.slice(0, NAMED).flatMap(({ at }) => nodeAt(graph, at) ?? []);
    return { selected: nodeAt(graph, graph.nodes.findIndex((node) => node.unique_id === search.node)), named };
  }, [graph, search.node, typed]);
}

function useAround(node: OfNode | undefined): Around {
  const { project, environment, search } = useScope();
  const { data: detail } = useProject(project);
  const last = detail?.last_run;
  return {
    environment,
    select: search.select ?? '',
    version: detail?.version,
    node,
    path: search.path,
    lastRun: last ? { run_id: last.run_id, number: last.number, isRunning: last.state !== 'finished', isGreen: last.outcome === 'succeeded' } : undefined,
  };
}

function useActs(node: string | undefined, path: string | undefined, onHelp: () => void): Acts {
  const { project, environment, change } = useScope();
  const { data: graph } = useGraph(project, environment);
  const navigate = useNavigate();
  const { run } = useRunning();
  const start = useStartRun(project);
  const cancel = useCancelRun(project);
  const disconnect = useDisconnect(project);
  const refused = (error: unknown) => sayRefused(asProblem(error).code, asProblem(error).detail);
  const open = (at: Place, tab?: string, other?: string) => {
    const search = at === 'graph' ? { node: other ?? node, tab: tab === 'sql' ? undefined : tab } : at === 'files' ? { path } : {};
    return navigate({ to: ADDRESSES[at], params: { project }, search });
  };
  return {
    run,
    retry: (failed) => start.mutate({ retry: failed }, { onSuccess: ({ run_id, number }) => sayStarted(run_id, number ?? null), onError: refused }),
    cancel: (running) => cancel.mutate(running, { onError: refused }),
    disconnect: (from, to) => graph && disconnect.mutate({ from, to, baseVersion: graph.version }),
    begin: (next, at, other) => void open(at, undefined, other).then(() => gesture.set(next)),
    open: (at, tab, other) => void open(at, tab, other),
    toCanvas: (other) => void open('graph', undefined, other).then(() => document.getElementById('canvas')?.focus()),
    projects: () => void navigate({ to: '/' }),
    problems: () => void change({ problems: true }),
    download: () => window.location.assign(`/api/v1/projects/${project}/download`),
    theme: chooseTheme,
    help: onHelp,
  };
}

/** Lists what the palette can do on this page beside finding; with nodes that were typed as well as with the selected one. */
export function useCommands(typed: string, onHelp: () => void): Command[] {
  const { selected, named } = useNodes(typed);
  const around = useAround(selected);
  const acts = useActs(selected?.unique_id, around.path, onHelp);
  return [...commandsOf(around, acts), ...named.flatMap((node) => ofNode(node, acts))];
}
