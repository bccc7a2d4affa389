import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { get, path } from './client';
import { keys } from './keys';
import type { HistoryEvent, HistoryPage, RunDetail, RunStep } from './schema';
import { noteVersion } from './versions';

/** How the live stream stands; while it is catching up, what is shown is older than what is known of. */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'catching up';

const RECONNECT_MS = [500, 1000, 2000, 5000];
/** Events come in bursts; what they change is read once. */
const GATHER_MS = 120;
/** After so long a read of what changed is worth a word. */
const SLOW_MS = 700;

/** What an event of a step makes of it. */
const STEP_STATES: Record<string, string> = {
  StepStarted: 'running',
  StepSucceeded: 'succeeded',
  StepFailed: 'failed',
  StepUnknown: 'unknown',
  StepSkipped: 'skipped',
  StepCancelled: 'cancelled',
};

/** Writes one event of a step into the run that is shown, before its figures are read. */
export function withStep(run: RunDetail, event: HistoryEvent): RunDetail {
  const node = event.subjects[0]?.node;
  const state = STEP_STATES[event.type];
  if (node === undefined || state === undefined || event.stream_version <= run.stream_version) return run;
  const step = (found: RunStep): RunStep => {
    if (found.unique_id !== node) return found;
    const started_at = state === 'running' ? event.occurred_at : found.started_at;
    return { ...found, state, started_at: started_at ?? null };
  };
  return { ...run, steps: run.steps.map(step) };
}

/** Puts an event before the ones that the history shows. */
export function withEvent(pages: InfiniteData<HistoryPage>, event: HistoryEvent): InfiniteData<HistoryPage> {
  const [first, ...rest] = pages.pages;
  if (!first || first.events.some((known) => known.position >= event.position)) return pages;
  return { ...pages, pages: [{ ...first, events: [event, ...first.events] }, ...rest] };
}

/** Takes the events of a project into the query cache. */
class Intake {
  private readonly stale = new Map<string, readonly unknown[]>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private reads = 0;
  private stopped = false;

  constructor(
    private readonly client: QueryClient,
    private readonly project: string,
    private readonly sayBehind: (behind: boolean) => void,
  ) {}

  take(event: HistoryEvent): void {
    const { client, project } = this;
    // The history leaves the steps of runs out: only they are about a node.
    if (event.category !== 'run' || event.subjects.length === 0) {
      for (const kind of ['all', event.category]) {
        client.setQueryData<InfiniteData<HistoryPage>>(keys.historyOf(project, kind), (pages) => pages && withEvent(pages, event));
      }
    }
    if (event.category === 'branch') {
      noteVersion(project, event.stream_version);
      this.readAgain(keys.files(project), keys.detail(project));
    } else if (event.category === 'layout') {
      this.readAgain(keys.files(project));
    } else if (event.category === 'project') {
      this.readAgain(keys.project(project));
    } else if (event.category === 'compilation') {
      this.readAgain(keys.publishes(project), keys.detail(project));
    } else if (event.category === 'run') {
      const key = keys.run(project, event.stream_id);
      client.setQueryData<RunDetail>(key, (run) => run && withStep(run, event));
      this.readAgain(key, keys.runs(project));
      if (event.type === 'RunRequested' || event.type === 'RunFinished') this.readAgain(keys.detail(project));
      // What ran may have other columns now, and the next run takes another time.
      if (event.type === 'RunFinished') this.readAgain(['project', project, 'columns'], ['project', project, 'files', 'plan']);
    }
  }

  readAgain(...stale: (readonly unknown[])[]): void {
    for (const key of stale) this.stale.set(JSON.stringify(key), key);
    this.timer ??= setTimeout(() => void this.flush(), GATHER_MS);
  }

  /** Reads all anew, after events may have been missed. */
  catchUp(): void {
    this.sayBehind(true);
    this.readAgain(keys.project(this.project));
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    const stale = [...this.stale.values()];
    this.stale.clear();
    this.reads += 1;
    const slow = setTimeout(() => !this.stopped && this.sayBehind(true), SLOW_MS);
    await Promise.all(stale.map((queryKey) => this.client.invalidateQueries({ queryKey })));
    clearTimeout(slow);
    this.reads -= 1;
    if (this.reads === 0 && !this.stopped) this.sayBehind(false);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}

/** Follows a project from a position on, for ever, through lost connections. */
class Follower {
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private position: number | undefined;
  private failures = 0;
  private stopped = false;

  constructor(
    private readonly project: string,
    private readonly intake: Intake,
    private readonly say: (connection: Connection) => void,
  ) {}

  async start(): Promise<void> {
    try {
      const page = await get<HistoryPage>(`${path('projects', this.project)}/history`, { query: { limit: 1 } });
      this.position ??= page.events[0]?.position ?? 0;
    } catch {
      this.again();
      return;
    }
    if (!this.stopped) this.open();
  }

  private open(): void {
    const address = `/api/v1${path('projects', this.project)}/stream?after=${this.position ?? 0}`;
    const source = new EventSource(address);
    this.source = source;
    source.onopen = () => {
      if (this.failures > 0) this.intake.catchUp();
      this.failures = 0;
      this.say('live');
    };
    source.addEventListener('event', (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as HistoryEvent;
      this.position = event.position;
      this.intake.take(event);
    });
    source.onerror = () => {
      source.close();
      this.again();
    };
  }

  private again(): void {
    if (this.stopped) return;
    this.say('reconnecting');
    const pause = RECONNECT_MS[Math.min(this.failures, RECONNECT_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => (this.position === undefined ? void this.start() : this.open()), pause);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.source?.close();
    this.intake.stop();
  }
}

/** Keeps the query cache as new as the project's log, and says how the connection stands. */
export function useLive(project: string): Connection {
  const client = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  const [isBehind, setBehind] = useState(false);
  useEffect(() => {
    const follower = new Follower(project, new Intake(client, project, setBehind), setConnection);
    void follower.start();
    return () => follower.stop();
  }, [client, project]);
  return connection === 'live' && isBehind ? 'catching up' : connection;
}
