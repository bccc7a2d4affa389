import { Environments } from '@/features/environments/environments';
import { useStore } from '@/lib/store';

import { gesture } from '../shell/gesture';
import { useScope } from '../shell/scope';

/** Shows the environments of the project. */
export function EnvironmentsPage() {
  const { project } = useScope();
  const adding = useStore(gesture)?.kind === 'new-environment';
  return <Environments project={project} adding={adding} onAdding={(next) => gesture.set(next ? { kind: 'new-environment' } : null)} />;
}
