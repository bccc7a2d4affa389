import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { FileIcon, GraphIcon, HelpIcon, HistoryIcon, PublishIcon, RunsIcon, SearchIcon, SettingsIcon } from '@/components/ui/icons';
import { Tooltip } from '@/components/ui/overlay';

import styles from './shell.module.css';

const PLACES: { to: '/projects/$project' | `/projects/$project/${'files' | 'runs' | 'history' | 'publish' | 'environments'}`; name: string; icon: ReactNode }[] = [
  { to: '/projects/$project', name: 'Graph', icon: <GraphIcon size={18} /> },
  { to: '/projects/$project/files', name: 'Files', icon: <FileIcon size={18} /> },
  { to: '/projects/$project/runs', name: 'Runs', icon: <RunsIcon size={18} /> },
  { to: '/projects/$project/history', name: 'History', icon: <HistoryIcon size={18} /> },
  { to: '/projects/$project/publish', name: 'Publish', icon: <PublishIcon size={18} /> },
  { to: '/projects/$project/environments', name: 'Environments', icon: <SettingsIcon size={18} /> },
];

/** Leads to the pages of a project. */
export function Rail({ project, onSearch, onHelp }: { project: string; onSearch: () => void; onHelp: () => void }) {
  return (
    <nav className={styles.rail} aria-label="Project">
      <Tooltip says="Search, and every command (/ or Ctrl K)" side="right">
        <button type="button" aria-label="Search" onClick={onSearch}>
          <SearchIcon size={18} />
        </button>
      </Tooltip>
      {PLACES.map(({ to, name, icon }) => (
        <Tooltip key={to} says={name} side="right">
          <Link to={to} params={{ project }} activeOptions={{ exact: to === '/projects/$project', includeSearch: false }} aria-label={name}>
            {icon}
          </Link>
        </Tooltip>
      ))}
      <span className={styles.gap} />
      <Tooltip says="Keyboard (?)" side="right">
        <button type="button" aria-label="Keyboard help" onClick={onHelp}>
          <HelpIcon size={18} />
        </button>
      </Tooltip>
    </nav>
  );
}
