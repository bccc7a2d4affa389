import { useNavigate, useParams, useSearch } from '@tanstack/react-router';

import type { ProjectSearch } from '../search';

const DEFAULT_ENVIRONMENT = 'dev';

/** Is what a project's pages are about: project and environment, and how to change what the address says. */
export function useScope() {
  const { project } = useParams({ from: '/projects/$project' });
  const search: ProjectSearch = useSearch({ from: '/projects/$project' });
  const navigate = useNavigate();
  const change = (next: Partial<Record<keyof ProjectSearch, unknown>>, replace = false) =>
    navigate({ to: '.', search: (before: ProjectSearch) => ({ ...before, ...next }) as ProjectSearch, replace });
  return { project, environment: search.env ?? DEFAULT_ENVIRONMENT, search, change };
}
