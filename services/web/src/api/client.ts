import { actorHeader } from '@/lib/actor';

import type { Problem } from './schema';

const API = '/api/v1';
/** How often a write is repeated, with its key, where no answer came. */
const ATTEMPTS = 4;
const PAUSE_MS = 400;
/** Answers that say: repeat the same request. */
const REPEATABLE = new Set([502, 503, 504]);

/** Is an answer that says why something could not be done. */
export class ApiProblem extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = 'ApiProblem';
  }
}

/** Makes the problem of a server that does not answer. */
export function unreachable(): ApiProblem {
  return new ApiProblem({
    type: 'urn:dvt:problem:unreachable',
    title: 'Unreachable',
    status: 0,
    code: 'UNREACHABLE',
    detail: 'the server does not answer; nothing you typed is lost',
    trace_id: '',
    docs: '',
  });
}

export interface Ask {
  query?: Record<string, string | number | boolean | null | undefined>;
  signal?: AbortSignal;
}

export interface Send extends Ask {
  body?: unknown;
  /** A body that is not JSON. */
  bytes?: { type: string; content: Uint8Array<ArrayBuffer> };
  /** True for what takes an `Idempotency-Key` header. */
  once?: boolean;
}

function address(path: string, query: Ask['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? API + path : `${API}${path}?${text}`;
}

async function answer<T>(response: Response): Promise<T> {
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  if (response.ok && isJson) return (await response.json()) as T;
  if (isJson) throw new ApiProblem((await response.json()) as Problem);
  throw unreachable();
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  let response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw unreachable();
  }
  return answer<T>(response);
}

/** Makes an address of path segments, each escaped. */
export function path(...segments: string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

/** Reads. */
export function get<T>(at: string, { query, signal }: Ask = {}): Promise<T> {
  return ask<T>(address(at, query), { headers: { accept: 'application/json' }, ...(signal && { signal }) });
}

/** Writes; repeats with the same key until there is an answer, so that it is done once. */
export async function post<T>(at: string, { query, body, bytes, once = false, signal }: Send = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json', 'dvt-actor': actorHeader() };
  if (once) headers['idempotency-key'] = crypto.randomUUID();
  if (bytes) headers['content-type'] = bytes.type;
  else if (body !== undefined) headers['content-type'] = 'application/json';
  const init: RequestInit = { method: 'POST', headers, ...(signal && { signal }) };
  if (bytes) init.body = bytes.content;
  else if (body !== undefined) init.body = JSON.stringify(body);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask<T>(address(at, query), init);
    } catch (error) {
      const { status } = asProblem(error);
      if (attempt === ATTEMPTS || (status !== 0 && !REPEATABLE.has(status))) throw error;
      await new Promise((resume) => setTimeout(resume, PAUSE_MS * attempt));
    }
  }
}

/** Answers the problem behind any error. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { ...unreachable().problem, code: 'PAGE', title: 'The page failed', detail };
}
