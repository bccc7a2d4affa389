import { ProjectHistory } from '@/features/history/project-history';

import { useScope } from '../shell/scope';

/** Shows the history of the project. */
export function HistoryPage() {
  const { project, search, change } = useScope();
  return <ProjectHistory project={project} selected={search.event} onSelect={(event) => void change({ event })} />;
}
