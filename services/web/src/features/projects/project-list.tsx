import { Link } from '@tanstack/react-router';

import type { ProjectSummary, RunSummary } from '@/api/schema';
import { Ago, Card, Glyph, Pill, Skeleton } from '@/components/ui/bits';
import { classes } from '@/lib/class-names';
import { duration, plural } from '@/lib/format';
import { runStatus } from '@/lib/status';

import styles from './projects.module.css';

function Size({ counts }: { counts: ProjectSummary['counts'] }) {
  if (!counts) return <span className="muted">reading…</span>;
  const tests = (counts.test ?? 0) + (counts.unit_test ?? 0);
  return (
    <span>
      {plural(counts.model ?? 0, 'model')} · {plural(tests, 'test')}
    </span>
  );
}

function LastRun({ run }: { run: RunSummary | null | undefined }) {
  if (!run) return <Pill tone="idle">never run</Pill>;
  const status = runStatus(run);
  return (
    <>
      <Pill tone={status.tone} glyph={status.glyph}>
        {status.word}
      </Pill>
      <span className="muted">
        <Ago at={run.requested_at} />
        {run.duration_ms != null && ` · ${duration(run.duration_ms)}`}
      </span>
    </>
  );
}

function Problems({ problems }: Pick<ProjectSummary, 'problems'>) {
  const [errors, warnings] = [problems?.errors ?? 0, problems?.warnings ?? 0];
  if (errors + warnings === 0) return '—';
  return (
    <span>
      <Glyph tone={errors > 0 ? 'bad' : 'warn'} glyph={errors > 0 ? '✗' : '!'} /> {plural(errors + warnings, 'problem')}
    </span>
  );
}

function publishedWords({ published, version }: ProjectSummary): string {
  if (published?.state !== 'published') return 'not published';
  const ahead = version - published.version;
  return ahead <= 0 ? 'published' : `${plural(ahead, 'edit')} ahead of Git`;
}

function Row({ project }: { project: ProjectSummary }) {
  return (
    <Link className={styles.row} to="/projects/$project" params={{ project: project.project_id }}>
      <span>
        <span className={classes(styles.name, 'clip')}>{project.name}</span>
        <span className="muted clip">
          {project.branch} · {publishedWords(project)}
        </span>
      </span>
      <Size counts={project.counts} />
      <span>
        {project.last_edit && (
          <>
            <Ago at={project.last_edit.at} />
            <span className="muted clip" title={project.last_edit.summary}>
              {project.last_edit.summary}
            </span>
          </>
        )}
      </span>
      <span>
        <LastRun run={project.last_run} />
      </span>
      <span className={classes(styles.end, 'muted')}>
        <Problems problems={project.problems} />
      </span>
    </Link>
  );
}

/** Lists projects: their size, their last edit, how they last ran, what is wrong. */
export function ProjectList({ projects }: { projects: ProjectSummary[] }) {
  return (
    <Card className={styles.table}>
      <div className={classes(styles.row, styles.head)} aria-hidden="true">
        <span>Project</span>
        <span>Size</span>
        <span>Last edit</span>
        <span>Last run</span>
        <span className={styles.end}>Problems</span>
      </div>
      {projects.map((project) => (
        <Row key={project.project_id} project={project} />
      ))}
    </Card>
  );
}

/** Holds the place of the list. */
export function ProjectListSkeleton() {
  return (
    <Card className={styles.table}>
      <div role="status" aria-label="Loading projects">
        {[0, 1, 2].map((at) => (
          <div key={at} className={styles.row}>
            {[70, 60, 80, 50].map((width) => (
              <span key={width} style={{ justifyItems: 'stretch' }}>
                <Skeleton width={`${width}%`} />
                <Skeleton width={`${width - 20}%`} />
              </span>
            ))}
          </div>
        ))}
      </div>
    </Card>
  );
}
