import { useState } from 'react';

import { asProblem } from '@/api/client';
import { usePublish } from '@/api/mutations';
import { useHistory, useProject, usePublishes } from '@/api/queries';
import type { HistoryEvent, ProjectDetail, Publish as Publication } from '@/api/schema';
import { Ago, Blank, Card, Page, Pill, SkeletonLines, TextArea } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank, ProblemNote } from '@/components/ui/problem';
import { actorName } from '@/lib/actor';
import { plural } from '@/lib/format';
import { publishStatus } from '@/lib/status';

import { Changes } from './changes';
import { editsAfter, proposed } from './message';
import styles from './publish.module.css';

/** Answers the edits since a version; undefined until they are read. */
function useEdits(project: string, published: number): HistoryEvent[] | undefined {
  const { data, isError } = useHistory(project, 'branch');
  if (!data && !isError) return undefined;
  return editsAfter(data?.pages.flatMap((page) => page.events) ?? [], published);
}

function Edits({ edits }: { edits: HistoryEvent[] }) {
  return (
    <ul className={styles.edits} aria-label="Edits that will be published">
      {edits.map((event) => (
        <li key={event.event_id}>
          <span className="clip">{event.summary}</span>
          <span className="muted">{actorName(event.actor)}</span>
        </li>
      ))}
    </ul>
  );
}

type Of = { project: string; environment: string; detail: ProjectDetail };

/** Says what is published, under which message, and publishes it. */
function Commit({ project, environment, detail, edits }: Of & { edits: HistoryEvent[] }) {
  const [typed, setTyped] = useState<string>();
  const publish = usePublish(project);
  const message = typed ?? proposed(edits);
  const submit = () => publish.mutate({ message, environment }, { onSuccess: () => setTyped(undefined) });
  return (
    <>
      {edits.length > 0 && <Edits edits={edits} />}
      <TextArea label="Message" hint="Proposed from the edits; the first line is the subject." placeholder={`Publish version ${detail.version}`} rows={edits.length > 1 ? 6 : 3} value={message} onChange={(event) => setTyped(event.target.value)} />
      {publish.error && <ProblemNote problem={asProblem(publish.error)} />}
      <div className={styles.foot}>
        <Button look="primary" busy={publish.isPending} onClick={submit}>
          Publish version {detail.version}
        </Button>
      </div>
    </>
  );
}

function Form({ project, environment, detail }: Of) {
  const published = detail.published?.state === 'published' ? detail.published.version : 0;
  const edits = useEdits(project, published);
  const isPublished = published >= detail.version;
  const ahead = detail.version - published;
  return (
    <>
      <Card className={styles.form}>
        <div className={styles.state}>
          <Pill tone={isPublished ? 'ok' : 'run'} glyph={isPublished ? '✓' : '↑'}>
            {isPublished ? 'published' : published === 0 ? 'not published' : `${plural(ahead, 'edit')} ahead`}
          </Pill>
          <span>
            {isPublished
              ? `Version ${detail.version} of ${detail.branch} is in Git.`
              : `Version ${detail.version} of ${detail.branch} will be one commit, with the artifacts compiled for ${environment}.`}
          </span>
        </div>
        {isPublished && detail.published?.environment === environment ? (
          <p className="muted">There is nothing to publish. An edit becomes the next commit.</p>
        ) : edits ? (
          <Commit project={project} environment={environment} detail={detail} edits={edits} />
        ) : (
          <SkeletonLines lines={4} label="Loading the edits" />
        )}
      </Card>
      {!isPublished && (
        <>
          <h2 className={styles.heading}>Changes</h2>
          <Card className={styles.changes}>
            <Changes project={project} from={published} />
          </Card>
        </>
      )}
    </>
  );
}

function Row({ publication }: { publication: Publication }) {
  const { state, message, commit, artifacts_commit, version, requested_by, requested_at, error } = publication;
  const status = publishStatus(state);
  return (
    <li className={styles.row}>
      <Pill tone={status.tone} glyph={status.glyph}>
        {status.word}
      </Pill>
      <div>
        <p style={{ whiteSpace: 'pre-wrap' }}>{message}</p>
        {error && <p style={{ color: 'var(--bad)' }}>{error}</p>}
        <p className="muted">
          version {version} · {actorName(requested_by)} · <Ago at={requested_at} />
        </p>
      </div>
      <div className="mono muted" style={{ textAlign: 'right' }}>
        {commit && <p title={commit}>commit {commit.slice(0, 10)}</p>}
        {artifacts_commit && <p title={artifacts_commit}>artifacts {artifacts_commit.slice(0, 10)}</p>}
      </div>
    </li>
  );
}

function Publications({ project }: { project: string }) {
  const { data, error, refetch } = usePublishes(project);
  if (error && !data) return <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonLines lines={4} label="Loading publications" />;
  if (data.publishes.length === 0) return <Blank title="Nothing is published yet">The first commit holds the whole project.</Blank>;
  return (
    <ul aria-label="Publications">
      {data.publishes.map((publication) => (
        <Row key={publication.publish_id} publication={publication} />
      ))}
    </ul>
  );
}

function Clone({ repository }: { repository: NonNullable<ProjectDetail['repository']> }) {
  const [copied, setCopied] = useState(false);
  const command = `git clone -b ${repository.branch} ${repository.url}`;
  const copy = () => void navigator.clipboard.writeText(command).then(() => setCopied(true));
  return (
    <Card className={styles.clone}>
      <span className="muted">The repository</span>
      <code className="mono" data-testid="repository">
        {command}
      </code>
      <Button onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>
    </Card>
  );
}

/** Publishes the branch to Git, and shows what was published. */
export function Publish({ project, environment }: { project: string; environment: string }) {
  const { data: detail, error, refetch } = useProject(project);
  return (
    <Page title="Publish">
      {detail ? (
        <Form project={project} environment={environment} detail={detail} />
      ) : error ? (
        <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />
      ) : (
        <SkeletonLines lines={5} label="Loading the branch" />
      )}
      <h2 className={styles.heading}>Published</h2>
      <Card>
        <Publications project={project} />
      </Card>
      {detail?.repository && (
        <>
          <h2 className={styles.heading}>Git</h2>
          <Clone repository={detail.repository} />
        </>
      )}
    </Page>
  );
}
