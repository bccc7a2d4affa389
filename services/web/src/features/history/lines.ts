import type { HistoryEvent } from '@/api/schema';

/** Is a line of a history: one event, or all that belongs together: a run, a publication, nodes that were placed. */
export interface Line {
  /** The newest of its events. */
  event: HistoryEvent;
  /** The others, newest first. */
  more: readonly HistoryEvent[];
}

/** What is one line when it comes one after the other. */
const PLACED = 'NodePlaced';

/** Groups events, newest first: those of a run and of a compilation into one line each, pins that follow each other too. */
export function linesOf(events: readonly HistoryEvent[]): Line[] {
  const lines: (Line & { more: HistoryEvent[] })[] = [];
  const streams = new Map<string, Line & { more: HistoryEvent[] }>();
  for (const event of events) {
    const last = lines.at(-1);
    const known = event.category === 'run' || event.category === 'compilation' ? streams.get(event.stream_id) : undefined;
    if (known) known.more.push(event);
    else if (event.type === PLACED && last?.event.type === PLACED && last.event.actor === event.actor) last.more.push(event);
    else {
      const line = { event, more: [] };
      lines.push(line);
      if (event.category !== 'branch') streams.set(event.stream_id, line);
    }
  }
  return lines.filter((line) => !isOnlyCompiled(line));
}

/** Says whether a line is a compilation for a run, which says so itself. */
function isOnlyCompiled({ event, more }: Line): boolean {
  return event.category === 'compilation' && ![event, ...more].some(({ type }) => type.startsWith('Publish'));
}

/** How the events of a compilation and a run are called, the last of them first. */
const WORDS: Record<string, string> = {
  RunFinished: 'run finished',
  RunStarted: 'run started',
  RunPlanned: 'run planned',
  RunCancelRequested: 'run cancelled',
  RunRequested: 'run requested',
  Published: 'published',
  PublishSuperseded: 'publication superseded',
  PublishRequested: 'publishing requested',
  Compiled: 'compiled',
  CompileFailed: 'did not compile',
  CompileRequested: 'compilation requested',
};

/** Says what a line is about; of a run with its number, where that is known. */
export function lineWords({ event, more }: Line, run?: number): string {
  if (event.type === PLACED && more.length > 0) return `placed ${more.length + 1} nodes`;
  const words = WORDS[event.type] ?? event.summary;
  return run === undefined ? words : words.replace(/^run/, `run ${run}`);
}

/** Answers who did it: of a run or a publication, who asked for it. */
export function lineActor({ event, more }: Line): string {
  return more.at(-1)?.actor ?? event.actor;
}
