import { Files } from '@/features/files/files';

import { useScope } from '../shell/scope';

/** Shows the files of the project. */
export function FilesPage() {
  const { project, environment, search, change } = useScope();
  const open = (path: string | undefined) => void change({ path, line: undefined });
  return <Files project={project} environment={environment} path={search.path} line={search.line} onOpen={open} />;
}
