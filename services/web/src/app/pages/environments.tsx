import { Environments } from '@/features/environments/environments';

import { useScope } from '../shell/scope';

/** Shows the environments of the project. */
export function EnvironmentsPage() {
  return <Environments project={useScope().project} />;
}
