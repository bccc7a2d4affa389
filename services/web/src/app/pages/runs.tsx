import { useNavigate, useParams } from '@tanstack/react-router';
import { Suspense, lazy } from 'react';

import { SkeletonLines } from '@/components/ui/bits';
import { RunList } from '@/features/runs/run-list';
import { RunView } from '@/features/runs/run-view';

import { useScope } from '../shell/scope';

const FailingRows = lazy(() => import('@/features/node/failing-rows').then(({ FailingRows: of }) => ({ default: of })));

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
  const failingRows = (test: string) => (
    <Suspense fallback={<SkeletonLines lines={5} label="Loading the rows" />}>
      <FailingRows key={test} project={project} run={run} test={test} />
    </Suspense>
  );
  return <RunView project={project} id={run} step={search.step} onSelect={(step) => void change({ step }, true)} onStarted={open} failingRows={failingRows} />;
}
