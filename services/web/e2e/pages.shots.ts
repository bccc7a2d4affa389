/** Takes pictures of every page, light and dark, 1280 and 1920 wide; three of them go to docs/. */
import { join, resolve } from 'node:path';

import { type Page, type Route, expect } from '@playwright/test';

import { SAMPLE, goToNode, graphIsDrawn, makeSample, rename, test, writeSql } from './app';

const FOLDER = resolve(import.meta.dirname, '../../../target/screenshots');
const DOCS = resolve(import.meta.dirname, '../../../docs/pictures');
const WIDTHS = [1280, 1920];
/** What README.md shows. */
const OF_README = new Set(['graph-light-1280', 'run-failed-light-1280', 'node-dark-1280']);

async function settled(page: Page): Promise<void> {
  await expect(page.locator('main').first()).toBeVisible();
  await expect(page.locator('[role="status"][aria-label^="Loading"]')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
}

async function take(page: Page, name: string, { settle = true, reload = false } = {}): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: Math.round(width * 0.6) });
      if (reload) await page.reload();
      if (settle) await settled(page);
      const file = `${name}-${theme}-${width}`;
      const picture = { animations: 'disabled' as const };
      await page.screenshot({ ...picture, path: join(FOLDER, `${file}.png`) });
      if (OF_README.has(file)) await page.screenshot({ ...picture, path: join(DOCS, `${name.replace('-failed', '')}.png`) });
    }
  }
}

async function runAll(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByTestId('strip').filter({ hasText: 'started' }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: /^Run \d+ .*(succeeded|failed)/ })).toBeVisible({ timeout: 120_000 });
}

/** Says what the API answers instead of itself. */
const STATES = {
  loading: () => undefined,
  error: (route: Route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      json: { type: 'about:blank', title: 'Internal error', status: 500, code: 'INTERNAL', detail: 'internal error', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', docs: '' },
    }),
  offline: (route: Route) => route.abort(),
} satisfies Record<string, (route: Route) => unknown>;

/** Takes a page while it is loaded, when it fails, and without a server. */
async function takeStates(page: Page, name: string, at: string, isAsked: RegExp): Promise<void> {
  for (const [state, answer] of Object.entries(STATES)) {
    await page.route(isAsked, answer);
    await page.goto(at);
    await expect(state === 'loading' ? page.locator('[role="status"][aria-label^="Loading"]').first() : page.getByRole('alert').first()).toBeVisible();
    await take(page, `${name}-${state}`, { settle: state !== 'loading' });
    await page.unroute(isAsked);
  }
}

async function takeDialogs(page: Page, at: string): Promise<void> {
  await page.goto(`${at}?node=model.night_trains.stg_rail__lines`);
  await graphIsDrawn(page);
  const canvas = page.getByRole('application', { name: /Graph of/ });
  for (const [key, name] of [['a', 'add-node'], ['c', 'connect'], ['Delete', 'remove'], ['?', 'help']] as const) {
    await canvas.focus();
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog')).toBeVisible();
    await take(page, name);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  }
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: /^Search/ }).fill('fct');
  await take(page, 'palette');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'What to run' }).click();
  await take(page, 'run-menu');
  await page.getByRole('menuitem', { name: 'Show the plan first…' }).click();
  await expect(page.getByRole('list', { name: 'Steps of the plan' })).toBeVisible();
  await take(page, 'plan');
  await page.keyboard.press('Escape');
}

async function takeNode(page: Page, at: string): Promise<void> {
  await page.goto(at);
  await graphIsDrawn(page);
  const panel = await goToNode(page, 'fct_bookings');
  await panel.getByRole('tab', { name: 'Preview' }).click();
  await panel.getByRole('button', { name: /^Show rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' })).toBeVisible();
  await take(page, 'rows');
  await rename(await goToNode(page, 'rpt_nights'), 'rpt_nights', 'rpt_season');
  for (const tab of ['SQL', 'Compiled', 'Columns & tests', 'Config', 'History']) {
    await page.getByRole('tab', { name: tab }).click();
    await take(page, tab === 'SQL' ? 'node' : `node-${tab.toLowerCase().replace(/\W+/g, '-')}`, { reload: true });
  }
  await page.getByRole('button', { name: 'Close all groups' }).click();
  await page.getByRole('button', { name: 'Close the panel' }).click();
  await page.getByRole('button', { name: 'Zoom to fit' }).click();
  await take(page, 'graph-folded');
  await page.getByRole('button', { name: 'Open all groups' }).click();
}

/** Breaks a node, so that there are a problem and a run that failed. */
async function takeBroken(page: Page, at: string): Promise<void> {
  await page.goto(at);
  await graphIsDrawn(page);
  const panel = await goToNode(page, 'dim_lines');
  await writeSql(panel, "select lin_code\n\nfrom {{ ref('stg_rail__lines') }}");
  await page.keyboard.press('Control+s');
  await expect(page.getByTestId('strip')).toContainText('dim_lines.sql');
  await take(page, 'strip');
  await page.goto(at);
  await graphIsDrawn(page);
  await runAll(page);
  await take(page, 'run-failed');
  await page.goto(at);
  await writeSql(await goToNode(page, 'dim_lines'), "select 1\n\nfrom {{ ref('nobody') }}");
  await page.keyboard.press('Control+s');
  await page.getByRole('button', { name: /problem/ }).click();
  await expect(page.getByRole('region', { name: 'Problems' })).toContainText('nobody');
  await take(page, 'problems');
}

test('pictures of every page', async ({ open }) => {
  test.setTimeout(1_500_000);
  const page = await open('/');
  await page.route('**/api/v1/projects', (route) => route.fulfill({ json: { projects: [] } }));
  await page.reload();
  await take(page, 'projects-empty');
  await page.unroute('**/api/v1/projects');
  await page.getByLabel('Folder to import').setInputFiles(SAMPLE);
  await expect(page.getByRole('dialog', { name: 'night_trains is imported' })).toBeVisible();
  await take(page, 'import-report');

  const at = `/projects/${await makeSample('night_trains')}`;
  for (const [name, place] of [['runs-empty', '/runs'], ['publish-empty', '/publish'], ['environments', '/environments'], ['files', '/files?path=dbt_project.yml']] as const) {
    await page.goto(at + place);
    await take(page, name);
  }
  await page.goto(at);
  await graphIsDrawn(page);
  await runAll(page);
  await take(page, 'run');
  await page.goto(at);
  await graphIsDrawn(page);
  await take(page, 'graph', { reload: true });
  await page.goto(`${at}/publish`);
  await page.getByRole('button', { name: /^Publish version/ }).click();
  await expect(page.getByRole('list', { name: 'Publications' }).getByText(/^\W*published$/)).toBeVisible({ timeout: 60_000 });
  await takeNode(page, at);
  await page.goto(`${at}/publish`);
  await take(page, 'publish');
  await page.goto(`${at}/history`);
  await page.getByRole('button', { name: /renamed rpt_nights/ }).click();
  await take(page, 'history');
  await takeDialogs(page, at);
  await takeBroken(page, at);
  await page.goto(`${at}/runs`);
  await take(page, 'runs');
  await page.goto('/');
  await take(page, 'projects');

  await takeStates(page, 'projects', '/', /\/api\/v1\/projects$/);
  for (const [name, place, asked] of [
    ['graph', '', /\/graph\?/],
    ['node', '?node=model.night_trains.fct_bookings', /\/nodes\/[^/?]+\?/],
    ['files', '/files', /\/tree/],
    ['runs', '/runs', /\/api\/.*\/runs$/],
    ['history', '/history', /\/api\/.*\/history\?.*steps=/],
    ['publish', '/publish', /\/publishes/],
    ['environments', '/environments', /\/api\/.*\/environments$/],
  ] as const) {
    await takeStates(page, name, at + place, asked);
  }
});
