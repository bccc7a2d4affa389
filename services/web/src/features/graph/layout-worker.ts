import type { ELK } from 'elkjs/lib/elk-api';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';

import type { View } from './groups';
import { type Positions, fromElk, toElk } from './layout';

let engine: Promise<ELK> | undefined;

/** Loads the layout engine, once, into a worker of its own. */
async function load(): Promise<ELK> {
  const { default: Engine } = await import('elkjs/lib/elk-api.js');
  return new Engine({ workerFactory: () => new Worker(workerUrl) });
}

/** Lays a part of a graph out, away from the page's own thread. */
export async function layOut(view: View): Promise<Positions> {
  engine ??= load();
  return fromElk(await (await engine).layout(toElk(view)));
}
