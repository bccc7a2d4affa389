import { Link } from '@tanstack/react-router';

import type { Connection } from '@/api/live';
import { useGraph, usePresence, useProject } from '@/api/queries';
import type { ProjectDetail } from '@/api/schema';
import { Chip, ChipButton, Glyph, Skeleton } from '@/components/ui/bits';
import chips from '@/components/ui/bits.module.css';
import { buttonClass } from '@/components/ui/button';
import { BranchIcon, ChevronIcon } from '@/components/ui/icons';
import { Menu, MenuChoice, MenuLabel, Tooltip } from '@/components/ui/overlay';
import { actorName } from '@/lib/actor';
import { plural } from '@/lib/format';
import { colourOf } from '@/lib/people';

import { Account } from './account';
import { RunButton } from './run-button';
import { useScope } from './scope';
import { SelectorBar } from './selector-bar';
import styles from './shell.module.css';

function branchWords({ published, version }: ProjectDetail): string {
  if (published?.state === 'pending') return 'publishing';
  if (published?.state !== 'published') return 'not published';
  const ahead = version - published.version;
  return ahead <= 0 ? 'published' : `${plural(ahead, 'edit')} ahead`;
}

function Branch({ project, detail }: { project: string; detail: ProjectDetail }) {
  return (
    <Link to="/projects/$project/publish" params={{ project }} className={chips.chip} title="The branch and what of it is published">
      <BranchIcon size={13} />
      <b>{detail.branch}</b> · {branchWords(detail)}
    </Link>
  );
}

function EnvironmentMenu({ detail }: { detail: ProjectDetail }) {
  const { environment, change } = useScope();
  const current = detail.environments.find((known) => known.name === environment);
  const trigger = (
    <ChipButton aria-label={`Environment: ${environment}`}>
      <b>{environment}</b> {current?.adapter ?? ''} <ChevronIcon size={12} />
    </ChipButton>
  );
  return (
    <Menu trigger={trigger}>
      <MenuLabel>Read and run in</MenuLabel>
      {detail.environments.map(({ name, schema, target }) => (
        <MenuChoice key={name} chosen={name === environment} onSelect={() => void change({ env: name === 'dev' ? undefined : name })}>
          <span>{name}</span>
          <span className="muted">
            {target} · {schema}
          </span>
        </MenuChoice>
      ))}
    </Menu>
  );
}

function ProblemsButton() {
  const { project, environment, search, change } = useScope();
  const { data } = useGraph(project, environment);
  if (!data) return null;
  const { errors, warnings } = data.problems;
  const all = errors + warnings;
  const tone = errors > 0 ? 'bad' : warnings > 0 ? 'warn' : 'ok';
  return (
    <ChipButton aria-expanded={search.problems === true} onClick={() => void change({ problems: search.problems ? undefined : true })}>
      <Glyph tone={tone} glyph={errors > 0 ? '✗' : warnings > 0 ? '!' : '✓'} />
      <span>
        <b>{all}</b> {all === 1 ? 'problem' : 'problems'}
      </span>
    </ChipButton>
  );
}

/** Shows who else is here; a press goes to the node that they look at. */
function Others() {
  const { project, search, change } = useScope();
  const { data } = usePresence(project, search.node);
  // Whoever has several windows open is one person, at the node of one of them.
  const people = new Map(data?.others.toSorted((a, b) => Number(a.unique_id != null) - Number(b.unique_id != null)).map((other) => [actorName(other.actor), other.unique_id]));
  if (people.size === 0) return null;
  return (
    <span className={styles.others}>
      {[...people].map(([name, unique_id]) => {
        const node = unique_id?.split('.').slice(2).join('.');
        const says = node === undefined ? `${name} is here` : `${name} is here, at ${node}`;
        return (
          <Tooltip key={name} says={says}>
            <button type="button" className={styles.other} style={{ background: colourOf(name) }} aria-label={says} onClick={() => unique_id && void change({ node: unique_id })}>
              {name.slice(0, 1).toUpperCase()}
            </button>
          </Tooltip>
        );
      })}
    </span>
  );
}

function Lost({ connection }: { connection: Connection }) {
  return (
    <span role="status" className={styles.lost}>
      {connection === 'reconnecting' && (
        <>
          <span aria-hidden="true">◌</span> Reconnecting…
        </>
      )}
      {connection === 'catching up' && (
        <>
          <span aria-hidden="true">◐</span> Catching up…
        </>
      )}
    </span>
  );
}

/** Says where you are, what is selected, what is wrong; and has the two verbs: Publish, Run. */
export function Header({ connection }: { connection: Connection }) {
  const { project } = useScope();
  const { data: detail } = useProject(project);
  return (
    <header className={styles.header}>
      <Link to="/" className={styles.logo} aria-label="DVT+, all projects">
        D
      </Link>
      {detail ? (
        <>
          <Link to="/projects/$project" params={{ project }} className={`${styles.crumb ?? ''} clip`} style={{ color: 'inherit' }}>
            {detail.name}
          </Link>
          <Branch project={project} detail={detail} />
          <EnvironmentMenu detail={detail} />
        </>
      ) : (
        <>
          <Skeleton width={110} />
          <Chip>
            <Skeleton width={90} />
          </Chip>
        </>
      )}
      <SelectorBar />
      <Lost connection={connection} />
      <ProblemsButton />
      <Others />
      <Account />
      <Link to="/projects/$project/publish" params={{ project }} className={buttonClass()} style={{ color: 'inherit' }}>
        Publish
      </Link>
      <RunButton />
    </header>
  );
}
