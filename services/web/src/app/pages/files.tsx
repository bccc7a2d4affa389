import { type Asked, Files } from '@/features/files/files';
import { useStore } from '@/lib/store';

import { gesture } from '../shell/gesture';
import { useScope } from '../shell/scope';

/** Shows the files of the project. */
export function FilesPage() {
  const { project, environment, search, change } = useScope();
  const open = (path: string | undefined) => void change({ path, line: undefined });
  const begun = useStore(gesture);
  const asked = begun?.kind === 'new-file' ? 'new' : begun?.kind === 'move-file' ? 'move' : begun?.kind === 'remove-file' ? 'remove' : null;
  const ask = (next: Asked) => {
    if (next === null) gesture.set(null);
    else if (next === 'new') gesture.set({ kind: 'new-file' });
    else if (search.path !== undefined) gesture.set({ kind: `${next}-file`, path: search.path });
  };
  return <Files project={project} environment={environment} path={search.path} line={search.line} onOpen={open} asked={asked} onAsk={ask} />;
}
