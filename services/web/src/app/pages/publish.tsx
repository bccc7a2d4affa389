import { Publish } from '@/features/publish/publish';

import { useScope } from '../shell/scope';

/** Publishes the project. */
export function PublishPage() {
  const { project, environment } = useScope();
  return <Publish project={project} environment={environment} />;
}
