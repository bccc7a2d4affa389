import type { HistoryEvent } from '@/api/schema';

/** How many edits a proposed message names. */
const NAMED = 8;

/** Answers the edits of the branch after a version, oldest first. */
export function editsAfter(events: readonly HistoryEvent[], version: number): HistoryEvent[] {
  const isEdit = (event: HistoryEvent) => event.category === 'branch' && event.stream_version > version && event.type !== 'ProjectExported';
  return events.filter(isEdit).toReversed();
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Proposes a commit message for edits: the one there is, or their number and a list. */
export function proposed(edits: readonly HistoryEvent[]): string {
  const summaries = [...new Set(edits.map((event) => event.summary))];
  const [first] = summaries;
  if (first === undefined) return '';
  if (summaries.length === 1) return sentence(first);
  const rest = summaries.length - NAMED;
  const list = summaries.slice(0, NAMED).map((summary) => `- ${summary}`);
  return [`${summaries.length} changes`, '', ...list, ...(rest > 0 ? [`- and ${rest} more`] : [])].join('\n');
}
