import { type ErrorComponentProps, Link } from '@tanstack/react-router';

import { asProblem } from '@/api/client';
import { Blank, SkeletonLines } from '@/components/ui/bits';
import { buttonClass } from '@/components/ui/button';
import { ProblemBlank } from '@/components/ui/problem';

/** Shows that a page is being loaded. */
export function PageLoading() {
  return <SkeletonLines lines={8} label="Loading the page" />;
}

/** Shows that a page failed. */
export function PageFailed({ error, reset }: ErrorComponentProps) {
  return <ProblemBlank heading="h1" problem={asProblem(error)} onRetry={reset} />;
}

/** Shows that there is no page at an address. */
export function PageMissing() {
  const home = (
    <Link to="/" className={buttonClass()}>
      All projects
    </Link>
  );
  return (
    <Blank heading="h1" title="There is nothing here" actions={home}>
      The address may be misspelt, or what it showed was renamed or removed.
    </Blank>
  );
}
