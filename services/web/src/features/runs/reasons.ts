import type { RunStep } from '@/api/schema';

/** A unique_id: its kind, its package, and its name, a hash at its end. */
const UNIQUE_ID = /\b(?:model|seed|snapshot|test|unit_test|source|exposure|analysis)\.\w+\.([\w.]*\w)/g;

/** Writes a reason with names instead of unique_ids. */
export function reasonWords(reason: string): string {
  return reason.replace(UNIQUE_ID, (_, name: string) => name.replace(/\.[0-9a-f]{10}$/, ''));
}

/** Answers the steps that were skipped because of one, also by way of others. */
export function takenDown(steps: readonly RunStep[], cause: RunStep): RunStep[] {
  const down = new Set([cause.unique_id]);
  const skipped = steps.filter((step) => step.state === 'skipped');
  for (let grown = true; grown; ) {
    const more = skipped.filter((step) => !down.has(step.unique_id) && [...down].some((id) => step.reason.includes(id)));
    for (const step of more) down.add(step.unique_id);
    grown = more.length > 0;
  }
  return skipped.filter((step) => down.has(step.unique_id));
}
