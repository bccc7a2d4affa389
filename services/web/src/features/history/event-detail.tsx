import { Link } from '@tanstack/react-router';

import { asProblem } from '@/api/client';
import { useEvent } from '@/api/queries';
import { Ago, SkeletonLines } from '@/components/ui/bits';
import { buttonClass } from '@/components/ui/button';
import { Diff } from '@/components/ui/diff';
import { ProblemBlank } from '@/components/ui/problem';
import { actorName } from '@/lib/actor';

import styles from './history.module.css';

/** Shows what an event changed, file by file. */
export function EventDiff({ project, id }: { project: string; id: string }) {
  const { data, error, refetch } = useEvent(project, id);
  if (error) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={4} label="Loading the changes" />;
  if (data.category === 'run') {
    return (
      <Link to="/projects/$project/runs/$run" params={{ project, run: data.stream_id }} className={buttonClass()}>
        Open the run
      </Link>
    );
  }
  if (data.diff.length === 0) return <p className="muted">{data.type === 'ProjectImported' && data.stream_version === 1 ? 'The files of the project came with it; before them there was nothing.' : 'No file was changed.'}</p>;
  return data.diff.map((file) => <Diff key={file.path} {...file} />);
}

/** Shows an event in full. */
export function EventDetail({ project, id }: { project: string; id: string }) {
  const { data } = useEvent(project, id);
  return (
    <>
      {data && (
        <div className={styles.title}>
          <h2>{data.summary}</h2>
          <p className="muted">
            {actorName(data.actor)} · <Ago at={data.occurred_at} /> · {data.type} · position {data.position}
          </p>
        </div>
      )}
      <EventDiff project={project} id={id} />
    </>
  );
}
