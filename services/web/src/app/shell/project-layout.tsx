import { Outlet, useNavigate } from '@tanstack/react-router';
import { Suspense, lazy, useEffect, useState } from 'react';

import { asProblem } from '@/api/client';
import { useLive } from '@/api/live';
import { useProject } from '@/api/queries';
import type { Diagnostic, ProjectDetail } from '@/api/schema';
import { ProblemBlank } from '@/components/ui/problem';
import { ProblemsPanel } from '@/features/problems/problems-panel';
import { showState } from '@/lib/favicon';
import { useShortcuts } from '@/lib/shortcuts';
import { runStatus } from '@/lib/status';

import { Header } from './header';
import { Help } from './help';
import { Rail } from './rail';
import { useRunning } from './run-button';
import { useScope } from './scope';
import styles from './shell.module.css';

const loadPalette = () => import('./palette');
const Palette = lazy(loadPalette);
/** When the palette is loaded: who presses Ctrl K types on at once, and the first view does not wait for it. */
const PALETTE_AFTER_MS = 1000;

/** Says in the window's title where this is; there and in its icon how the last run stands. */
function useTitle(detail: ProjectDetail | undefined): void {
  useEffect(() => {
    if (!detail) return;
    const status = detail.last_run && runStatus(detail.last_run);
    document.title = `${status ? `${status.glyph} ` : ''}${detail.name} · DVT+`;
    showState(status?.tone);
    return () => {
      document.title = 'DVT+';
      showState(undefined);
    };
  }, [detail]);
}

/** Opens a diagnostic at its line: in the node's panel where the node's own file has it, else in the file. */
function useOpenDiagnostic() {
  const { project } = useScope();
  const navigate = useNavigate();
  return ({ unique_id, place }: Diagnostic) => {
    const params = { project };
    if (unique_id && (!place || place.path.endsWith('.sql')) && !/^(test|unit_test)\./.test(unique_id)) {
      const search = { node: unique_id, tab: 'sql', ...(place && { line: place.line }), problems: true };
      void navigate({ to: '/projects/$project', params, search });
    } else if (place) {
      void navigate({ to: '/projects/$project/files', params, search: { path: place.path, line: place.line, problems: true } });
    }
  };
}

/** Is what all pages of a project stand in: header, rail, problems, search, help, and the live stream. */
export function ProjectLayout() {
  const { project, environment, search, change } = useScope();
  const connection = useLive(project);
  const { data: detail, error, refetch } = useProject(project);
  const [helping, setHelping] = useState(false);
  const [searching, setSearching] = useState(false);
  const { run } = useRunning();
  const openDiagnostic = useOpenDiagnostic();
  useTitle(detail);
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), PALETTE_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  useShortcuts([
    { keys: '/', does: 'Search', run: () => setSearching(true) },
    { keys: 'Ctrl k', does: 'Search', run: () => setSearching(true) },
    { keys: '?', does: 'Help', run: () => setHelping(true) },
    { keys: 'p', does: 'Problems', run: () => void change({ problems: search.problems ? undefined : true }) },
    { keys: 'Ctrl Enter', does: 'Run', run: () => run(search.select ?? '') },
  ]);
  const failed = error && !detail ? asProblem(error) : null;
  return (
    <div className={styles.root}>
      <Header connection={connection} />
      <div className={styles.project}>
        <Rail project={project} onSearch={() => setSearching(true)} onHelp={() => setHelping(true)} />
        <main className={styles.main}>
          <div className={styles.outlet}>
            {failed ? <ProblemBlank heading="h1" problem={failed} onRetry={() => void refetch()} /> : <Outlet />}
          </div>
          {search.problems === true && (
            <ProblemsPanel project={project} environment={environment} onOpen={openDiagnostic} onClose={() => void change({ problems: undefined })} />
          )}
        </main>
      </div>
      <Help open={helping} onOpenChange={setHelping} />
      {searching && (
        <Suspense fallback={null}>
          <Palette onClose={() => setSearching(false)} onHelp={() => setHelping(true)} />
        </Suspense>
      )}
    </div>
  );
}
