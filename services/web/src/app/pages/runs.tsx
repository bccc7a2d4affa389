import { useNavigate, useParams } from '@tanstack/react-router';

import { RunList } from '@/features/runs/run-list';
import { RunView } from '@/features/runs/run-view';

import { useScope } from '../shell/scope';

/** Lists the runs of the project. */
export function RunsPage() {
  return <RunList project={useScope().project} />;
}

/** Shows one run. */
export function RunPage() {
  const { project, search, change } = useScope();
  const { run } = useParams({ from: '/projects/$project/runs/$run' });
  const navigate = useNavigate();
  const open = (started: string) => void navigate({ to: '/projects/$project/runs/$run', params: { project, run: started } });
  return <RunView project={project} id={run} step={search.step} onSelect={(step) => void change({ step }, true)} onStarted={open} />;
}
