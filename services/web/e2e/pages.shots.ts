/** Takes pictures of the pages: empty, full, while they load, when they fail, without a server. */
import { type Page, expect } from '@playwright/test';

import { SAMPLE, edit, finishedRun, goToNode, graphIsDrawn, makeSample, rename, test, writeSql } from './app';
import { makeBig } from './big';
import { take, takeStates } from './shots';

test.setTimeout(1_500_000);

const DIM_LINES = "select line_code\n\nfrom {{ ref('stg_rail__lines') }}\n";

async function runAll(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByTestId('strip').filter({ hasText: /Run \d+/ }).getByRole('link', { name: 'View' }).click();
}

async function ended(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: /^Run \d+ .*(succeeded|failed)/ })).toBeVisible({ timeout: 120_000 });
}

const SLOW = { type: 'set_sql', unique_id: 'model.night_trains.stg_rail__lines', sql: "{{ config(materialized='table') }} select pg_sleep(600)::text as x" };

async function saveSql(page: Page, at: string, name: string, text: string): Promise<void> {
  await page.goto(at);
  await graphIsDrawn(page);
  await writeSql(await goToNode(page, name), text);
  await page.keyboard.press('Control+s');
  await expect(page.getByTestId('strip')).toContainText(`${name}.sql`);
}

test('projects', async ({ open }) => {
  const page = await open('/');
  await page.route('**/api/v1/projects', (route) => route.fulfill({ json: { projects: [] } }));
  await page.reload();
  await take(page, 'projects-empty');
  await page.unroute('**/api/v1/projects');
  await page.getByRole('button', { name: 'Empty project' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await take(page, 'projects-new');
  await page.keyboard.press('Escape');
  await page.getByLabel('Folder to import').setInputFiles(SAMPLE);
  await expect(page.getByRole('dialog', { name: 'night_trains is imported' })).toBeVisible();
  await take(page, 'import-report');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^Your name and settings/ }).click();
  await expect(page.getByRole('radio', { name: 'Dark' })).toBeVisible();
  await take(page, 'settings');
  await page.keyboard.press('Escape');
  await page.getByLabel('Archive to import').setInputFiles({ name: 'notes.zip', mimeType: 'application/zip', buffer: Buffer.from('no archive') });
  await expect(page.getByRole('region', { name: 'Import a dbt project' }).getByRole('alert')).toBeVisible();
  await take(page, 'import-refused');
  await takeStates(page, 'projects', '/', /\/api\/v1\/projects$/);
});

test('a project before its first run', async ({ open }) => {
  const at = `/projects/${await makeSample('night_trains')}`;
  const page = await open(at);
  for (const [name, place] of [['runs-empty', '/runs'], ['publish-empty', '/publish'], ['files-none', '/files'], ['files', '/files?path=models/marts/operations/_operations__models.yml'], ['not-found', '/nowhere']] as const) {
    await page.goto(at + place);
    await take(page, name);
  }
  await page.goto(`${at}?problems=true`);
  await take(page, 'problems-none', { whole: true });
  for (const [name, place, asked] of [
    ['graph', '', /\/graph\?/],
    ['node', '?node=model.night_trains.fct_bookings', /\/nodes\/[^/?]+\?/],
    ['files', '/files', /\/tree/],
    ['runs', '/runs', /\/api\/.*\/runs$/],
    ['history', '/history', /\/api\/.*\/history\?.*steps=/],
    ['publish', '/publish', /\/publishes/],
    ['environments', '/environments', /\/api\/.*\/environments$/],
    ['compiled', '?node=model.night_trains.fct_bookings&tab=compiled', /\/compiled\?/],
    ['problems', '?problems=true', /\/diagnostics\?/],
    ['file', '/files?path=dbt_project.yml', /\/files\/dbt_project/],
  ] as const) {
    await takeStates(page, name, at + place, asked);
  }
  await page.goto(at);
  await graphIsDrawn(page);
  await page.route('**/stream?*', (route) => route.abort());
  await page.reload();
  await expect(page.getByText('Reconnecting…')).toBeVisible();
  await take(page, 'reconnecting', { whole: true });
  await page.route(/\/graph\?/, () => undefined);
  await page.unroute('**/stream?*');
  await expect(page.getByText('Catching up…')).toBeVisible();
  await take(page, 'catching-up', { whole: true });
});

test('a project without nodes, and one with many', async ({ open }) => {
  const page = await open('/');
  await page.getByRole('button', { name: 'Empty project' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('from_nothing');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'No nodes yet' })).toBeVisible();
  await take(page, 'graph-empty');
  await page.goto(`/projects/${await makeBig(240)}`);
  await expect(page.locator('[data-group]').first()).toBeVisible();
  await take(page, 'graph-large', { whole: true });
  await page.locator('[data-group$="staging/area_0"]').click();
  await take(page, 'graph-large-opened', { whole: true });
});

test('environments', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('night_trains')}/environments`);
  const test = page.getByRole('button', { name: 'Test the connection' });
  await test.click();
  await expect(page.getByRole('status').filter({ hasText: 'Connected in' })).toBeVisible();
  await take(page, 'environments-connected');
  await page.route(/\/environments\/.*\/test/, (route) => route.fulfill({ json: { status: 'failed', ms: 3012, server: null, code: 'TARGET_UNREACHABLE', detail: 'connection refused (127.0.0.1:5432)' } }));
  await test.click();
  await expect(page.getByRole('status').filter({ hasText: 'Not connected' })).toBeVisible();
  await take(page, 'environments-not-connected');
  await page.getByRole('button', { name: 'New environment' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await take(page, 'environments-form');
});

test('runs, publications, history', async ({ open }) => {
  const at = `/projects/${await makeSample('night_trains')}`;
  const page = await open(at);
  await graphIsDrawn(page);
  await runAll(page);
  await ended(page);
  await take(page, 'run');
  await page.getByRole('tab', { name: /^Log/ }).click();
  await take(page, 'run-log');
  await page.goto(at);
  await graphIsDrawn(page);
  await take(page, 'graph', { whole: true });
  await page.goto(`${at}/publish`);
  await page.getByRole('button', { name: /^Publish version/ }).click();
  await expect(page.getByRole('list', { name: 'Publications' }).getByText(/^\W*published$/)).toBeVisible({ timeout: 60_000 });
  await take(page, 'publish-done');
  await page.goto(at);
  await graphIsDrawn(page);
  await rename(await goToNode(page, 'rpt_nights'), 'rpt_nights', 'rpt_season');
  await take(page, 'strip');
  await saveSql(page, at, 'dim_lines', DIM_LINES.replace('line_code', 'lin_code'));
  await page.goto(`${at}/publish`);
  await expect(page.getByRole('list', { name: 'Files that will be committed' })).toBeVisible();
  await take(page, 'publish');
  await page.goto(`${at}/history`);
  await page.getByRole('button', { name: /renamed rpt_nights/ }).click();
  await take(page, 'history');
  await page.goto(at);
  await graphIsDrawn(page);
  await runAll(page);
  await ended(page);
  await take(page, 'run-failed');
  await page.goto(`${at}/runs`);
  await take(page, 'runs');
  await saveSql(page, at, 'dim_lines', "select 1\n\nfrom {{ ref('nobody') }}");
  await page.getByRole('button', { name: /problem/ }).click();
  await expect(page.getByRole('region', { name: 'Problems' })).toContainText('nobody');
  await take(page, 'problems');
  await page.goto('/');
  await take(page, 'projects');
});

test('a run under way, one that is cancelled, and one that is loaded', async ({ open }) => {
  const project = await makeSample('night_trains');
  const at = `/projects/${project}`;
  const run = await finishedRun(project, 'cabin_types');
  const page = await open(at);
  await takeStates(page, 'run', `${at}/runs/${run}`, /\/api\/.*\/runs\/[^/]+$/);
  await edit(project, SLOW);
  await page.goto(`${at}?select=stg_rail__lines%2B`);
  await graphIsDrawn(page);
  await runAll(page);
  await expect(page.getByRole('button', { name: /running stg_rail__lines/ })).toBeVisible();
  await take(page, 'run-live');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { name: /^Run \d+ .*cancelled/ })).toBeVisible({ timeout: 60_000 });
  await take(page, 'run-cancelled');
});

test('the rows that fail a test', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('night_trains')}?node=seed.night_trains.cabin_types&tab=columns`);
  await page.getByRole('button', { name: 'Add a test to cabin_type' }).click();
  const dialog = page.getByRole('dialog', { name: 'Test cabin_type' });
  await dialog.getByLabel('Test', { exact: true }).selectOption('accepted_values');
  await dialog.getByRole('textbox', { name: 'values' }).fill('seat, couchette');
  await take(page, 'add-test');
  await dialog.getByRole('button', { name: 'Add the test' }).click();
  await expect(dialog).toBeHidden();
  await runAll(page);
  await ended(page);
  await page.getByRole('tab', { name: /^Failing rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' }).getByRole('row').nth(1)).toBeVisible();
  await take(page, 'failing-rows');
});
