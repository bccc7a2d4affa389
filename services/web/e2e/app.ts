/** What the tests do again and again, by the labels that a user sees. */
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

import { type BrowserContext, type Locator, type Page, test as base, expect } from '@playwright/test';

export const SAMPLE = resolve(import.meta.dirname, '../../../samples/night_trains');

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests by scripts/e2e`);
  return value;
}

/** Asks the target's database for one value. */
export function askTarget(sql: string): string {
  const folder = process.env.DVT_POSTGRES_BIN;
  const psql = folder === undefined ? 'psql' : join(folder, 'psql');
  return execFileSync(psql, ['--no-psqlrc', '-At', '-c', sql, fromEnvironment('DVT_TARGET_URL')], { encoding: 'utf8' }).trim();
}

/** Makes a project of the sample by the API, and answers its id. */
export async function makeSample(name: string): Promise<string> {
  const answer = await fetch(`${fromEnvironment('DVT_URL')}/api/v1/projects`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify({ name, template: 'sample' }),
  });
  expect(answer.status).toBe(201);
  const { project_id } = (await answer.json()) as { project_id: string };
  if (base.info().project.name === 'e2e') await buildApart(project_id);
  return project_id;
}

/** Gives a project schemas of its own: of two tests at once that build the same relation, the second is refused. */
async function buildApart(project: string): Promise<void> {
  const { environments } = await ask<{ environments: { schema: string }[] }>('GET', `${project}/environments`);
  for (const environment of environments) {
    await ask('POST', `${project}/environments`, { ...environment, schema: `${environment.schema}_${project.slice(-12)}` });
  }
}

/** Imports an archive by the API, and answers the project's id. */
export async function importArchive(source: string, archive: Uint8Array<ArrayBuffer>): Promise<string> {
  const answer = await fetch(`${fromEnvironment('DVT_URL')}/api/v1/projects/import?source=${source}`, {
    method: 'POST',
    headers: { 'content-type': 'application/zip', 'idempotency-key': crypto.randomUUID() },
    body: archive,
  });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { project_id: string }).project_id;
}

async function ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID(), 'dvt-actor': 'local:Bob' };
  const answer = await fetch(`${fromEnvironment('DVT_URL')}/api/v1/projects/${path}`, { method, headers, ...init });
  expect(answer.ok ? '' : await answer.text(), `${method} ${path}`).toBe('');
  return (await answer.json()) as T;
}

/** Makes an edit by the API, as somebody else would. */
export async function edit(project: string, command: object): Promise<void> {
  const { version } = await ask<{ version: number }>('GET', project);
  const commands = [{ idempotency_key: crypto.randomUUID(), base_version: version, command }];
  const { results } = await ask<{ results: { code?: string }[] }>('POST', `${project}/commands`, { commands });
  expect(results[0]?.code).toBeUndefined();
}

/** Runs nodes by the API, and waits until they have run. */
export async function finishedRun(project: string, select: string): Promise<string> {
  const { run_id } = await ask<{ run_id: string }>('POST', `${project}/runs`, { command: 'build', environment: 'dev', select });
  await expect.poll(async () => (await ask<{ state: string }>('GET', `${project}/runs/${run_id}`)).state, { timeout: 90_000 }).toBe('finished');
  return run_id;
}

/** Publishes the project by the API, and waits until it is in Git. */
export async function published(project: string): Promise<void> {
  await ask('POST', `${project}/publish`, { message: 'As it is', environment: 'dev' });
  const state = async () => (await ask<{ publishes: { state: string }[] }>('GET', `${project}/publishes`)).publishes[0]?.state;
  await expect.poll(state, { timeout: 60_000 }).toBe('published');
}

/** Answers where the canvas draws a node. */
export async function placeOf(frame: Locator): Promise<{ x: number; y: number }> {
  const place = /translate\(([-\d.]+)px, ([-\d.]+)px\)/.exec((await frame.getAttribute('style')) ?? '');
  return { x: Math.round(Number(place?.[1])), y: Math.round(Number(place?.[2])) };
}

/** Opens a page as an actor; an error of the page itself fails the test. */
type Open = (at: string, actor?: string) => Promise<Page>;

/** Is a test whose pages are closed after it. */
export const test = base.extend<{ open: Open }>({
  open: async ({ browser }, provide) => {
    const contexts: BrowserContext[] = [];
    await provide(async (at, actor = 'Ada') => {
      const context = await browser.newContext({ baseURL: fromEnvironment('DVT_URL') });
      contexts.push(context);
      await context.addInitScript((name) => localStorage.setItem('dvt.actor', name), actor);
      const page = await context.newPage();
      page.on('pageerror', (error) => {
        throw error;
      });
      await page.goto(at);
      return page;
    });
    for (const context of contexts) await context.close();
  },
});

/** Finds a node of the canvas by its name. */
export function node(page: Page, name: string): Locator {
  return page.locator('[data-node]', { has: page.locator('b', { hasText: new RegExp(`^${name}$`) }) });
}

/** Waits until all nodes of the graph are placed. */
export async function graphIsDrawn(page: Page): Promise<void> {
  await expect(page.getByRole('application', { name: /Graph of/ })).toBeVisible();
  await expect(page.locator('[data-node]').first()).toBeVisible();
}

/** Selects a node by the search, as the keyboard does it. */
export async function goToNode(page: Page, name: string): Promise<Locator> {
  await page.locator('body').press('Control+k');
  await page.getByRole('combobox', { name: /^Search/ }).fill(name);
  await page.getByRole('option', { name: new RegExp(`^${name}\\b.*(model|seed|snapshot)`) }).first().click();
  const panel = page.getByRole('complementary', { name: new RegExp(`\\b${name}$`) });
  await expect(panel).toBeVisible();
  return panel;
}

/** Writes another text into the editor of a panel. */
export async function writeSql(panel: Locator, text: string): Promise<void> {
  const editor = panel.getByRole('textbox', { name: /^Text of/ });
  await editor.click();
  await editor.press('Control+a');
  await editor.page().keyboard.insertText(text);
}

/** Is the strip that says what the last gesture wrote. */
export function strip(page: Page): Locator {
  return page.getByTestId('strip');
}

/** Renames the node of a panel. */
export async function rename(panel: Locator, from: string, to: string): Promise<void> {
  const page = panel.page();
  await panel.getByRole('button', { name: `Rename ${from}` }).click();
  await page.getByRole('textbox', { name: 'New name' }).fill(to);
  await expect(page.getByRole('list', { name: 'What the rename writes' })).toBeVisible();
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await expect(page.getByRole('complementary', { name: new RegExp(`\\b${to}$`) })).toBeVisible();
  await expect(strip(page)).toContainText(`renamed ${from} to ${to}`);
}
