import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  retainSearchParams,
} from '@tanstack/react-router';

import { PageFailed, PageLoading, PageMissing } from './pages/fallbacks';
import { readSearch } from './search';
import { Root } from './shell/root';

const root = createRootRoute({ component: Root, notFoundComponent: PageMissing });

const projects = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/projects'), 'Projects'),
});

const project = createRoute({
  getParentRoute: () => root,
  path: 'projects/$project',
  validateSearch: readSearch,
  search: { middlewares: [retainSearchParams(['env', 'select', 'problems'])] },
  component: lazyRouteComponent(() => import('./shell/project-layout'), 'ProjectLayout'),
  notFoundComponent: PageMissing,
});

const graph = createRoute({
  getParentRoute: () => project,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/graph'), 'GraphPage'),
});

const files = createRoute({
  getParentRoute: () => project,
  path: 'files',
  component: lazyRouteComponent(() => import('./pages/files'), 'FilesPage'),
});

const runs = createRoute({
  getParentRoute: () => project,
  path: 'runs',
  component: lazyRouteComponent(() => import('./pages/runs'), 'RunsPage'),
});

const run = createRoute({
  getParentRoute: () => project,
  path: 'runs/$run',
  component: lazyRouteComponent(() => import('./pages/runs'), 'RunPage'),
});

const history = createRoute({
  getParentRoute: () => project,
  path: 'history',
  component: lazyRouteComponent(() => import('./pages/history'), 'HistoryPage'),
});

const publish = createRoute({
  getParentRoute: () => project,
  path: 'publish',
  component: lazyRouteComponent(() => import('./pages/publish'), 'PublishPage'),
});

const environments = createRoute({
  getParentRoute: () => project,
  path: 'environments',
  component: lazyRouteComponent(() => import('./pages/environments'), 'EnvironmentsPage'),
});

/** Knows the pages and their addresses. */
export const router = createRouter({
  routeTree: root.addChildren([
    projects,
    project.addChildren([graph, files, runs, run, history, publish, environments]),
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: PageLoading,
  defaultErrorComponent: PageFailed,
  defaultNotFoundComponent: PageMissing,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
