import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';

import { useGraph } from '@/api/queries';
import { selectorOf } from '@/lib/selector';
import { chooseTheme } from '@/lib/theme';

import { gesture } from './gesture';
import type { Found } from './palette';
import { useRunning } from './run-button';
import { useScope } from './scope';

const PAGES = [
  ['Graph', '/projects/$project'],
  ['Files', '/projects/$project/files'],
  ['Runs', '/projects/$project/runs'],
  ['History', '/projects/$project/history'],
  ['Publish', '/projects/$project/publish'],
  ['Environments', '/projects/$project/environments'],
] as const;

/** Lists what the palette can do beside finding: all that a project's pages can, with its shortcut. */
export function useCommands(onHelp: () => void): Found[] {
  const { project, environment, search, change } = useScope();
  const { data: graph } = useGraph(project, environment);
  const navigate = useNavigate();
  const { run } = useRunning();
  const node = graph?.nodes.find((found) => found.unique_id === search.node);
  return useMemo(() => {
    const command = (label: string, go: () => void, keys?: string): Found => ({ id: `command:${label}`, label, kind: 'command', go, ...(keys !== undefined && { keys }) });
    const params = { project };
    const onGraph = (then: () => void) => () => void navigate({ to: '/projects/$project', params, search: { node: search.node } }).then(then);
    const facet = (label: string, tab: string | undefined) => command(`${label} of ${node?.name ?? ''}`, () => void navigate({ to: '/projects/$project', params, search: { node: search.node, tab } }));
    const select = search.select ?? '';
    const ofNode = node
      ? [
          command(`Run ${selectorOf(node)}`, () => run(selectorOf(node)), 'Ctrl ⇧ ⏎'),
          command(`Run +${selectorOf(node)}`, () => run(`+${selectorOf(node)}`)),
          command(`Run ${selectorOf(node)}+`, () => run(`${selectorOf(node)}+`)),
          command(`Connect ${node.name}`, onGraph(() => gesture.set({ kind: 'connect', id: node.unique_id })), 'C'),
          command(`Remove ${node.name}`, onGraph(() => gesture.set({ kind: 'remove', ids: [node.unique_id] })), 'Del'),
          facet('SQL', undefined),
          facet('Compiled SQL', 'compiled'),
          facet('Columns and tests', 'columns'),
          facet('Config', 'config'),
          facet('History', 'history'),
          facet('Rows', 'preview'),
        ]
      : [];
    return [
      command(select === '' ? 'Run everything' : `Run ${select}`, () => run(select), 'Ctrl ⏎'),
      command('Run everything with a full refresh', () => run('', true)),
      command('Add a node', onGraph(() => gesture.set({ kind: 'add', from: node ? [node.unique_id] : [] })), 'A'),
      ...ofNode,
      ...PAGES.map(([name, to]) => command(`Go to ${name}`, () => void navigate({ to, params }))),
      command('Show problems', () => void change({ problems: true }), 'P'),
      command('Download the files as a zip', () => window.location.assign(`/api/v1/projects/${project}/download`)),
      command('All projects', () => void navigate({ to: '/' })),
      command('Light theme', () => chooseTheme('light')),
      command('Dark theme', () => chooseTheme('dark')),
      command('Theme of the system', () => chooseTheme('system')),
      command('Keyboard help', onHelp, '?'),
    ];
    // The functions are new at each render and do the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [project, search.select, search.node, node]);
}
