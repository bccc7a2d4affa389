/** What the page does by mouse alone, where the other tests use keys. */
import { expect } from '@playwright/test';

import { edit, finishedRun, graphIsDrawn, makeSample, node, test } from './app';

test('the search, its commands and the keyboard help are opened from the rail', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('rail')}`);
  await graphIsDrawn(page);
  const rail = page.getByRole('navigation', { name: 'Project' });
  await rail.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('combobox', { name: /^Search/ }).fill('Declare a source');
  await page.getByRole('option', { name: /^Declare a source/ }).click();
  await page.getByRole('dialog', { name: 'Declare a source' }).getByRole('button', { name: 'Cancel' }).click();
  await rail.getByRole('button', { name: 'Keyboard help' }).click();
  await page.getByRole('dialog', { name: 'Keyboard' }).getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Environment: dev' }).click();
  await page.getByRole('menuitemcheckbox', { name: /^dev/ }).click();
  await expect(page.getByRole('menu')).toBeHidden();
});

test('a selector is completed, and what it shows is what Run runs', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('select by mouse')}`);
  await graphIsDrawn(page);
  await page.getByLabel('--select').fill('cabin_ty');
  await page.getByRole('listbox', { name: 'Ways to go on' }).getByRole('option', { name: /cabin_types/ }).first().click();
  await expect(page.getByLabel('--select')).toHaveValue('cabin_types');
  await expect(page.getByText(/^1 of 42 nodes/)).toBeVisible();
  await expect(page).toHaveURL(/select=/);
  const asked = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/runs'));
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  expect((await asked).postDataJSON()).toMatchObject({ select: 'cabin_types' });
});

test('a node lights its lines, is focused and left again, and leads up and down', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('lines')}`);
  await graphIsDrawn(page);
  const lit = page.locator('[data-edges][data-lit]');
  await node(page, 'fct_departures').hover();
  await expect(lit).toHaveCount(1);
  await page.mouse.move(4, 4);
  await expect(lit).toHaveCount(0);
  await node(page, 'fct_departures').click();
  await page.getByRole('button', { name: 'Focus on the node' }).click();
  await expect(page.getByText('2 steps each way')).toBeVisible();
  await expect(node(page, 'dim_passengers')).toHaveCount(0);
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(node(page, 'dim_passengers')).toHaveCount(1);
  await page.getByRole('tab', { name: /^Columns/ }).click();
  await page.getByRole('list', { name: 'Reads' }).getByRole('link', { name: 'int_departures_delayed' }).click();
  await expect(page).toHaveURL(/node=model.night_trains.int_departures_delayed/);
});

test('the map moves the canvas', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('map')}?node=seed.night_trains.raw_lines`);
  await graphIsDrawn(page);
  await expect(node(page, 'rpt_nights')).toHaveCount(0);
  const map = await page.locator('.react-flow__minimap').boundingBox();
  if (!map) throw new Error('there is no map');
  await page.mouse.move(map.x + map.width * 0.1, map.y + map.height * 0.6);
  await page.mouse.down();
  await page.mouse.move(map.x + map.width * 0.75, map.y + map.height * 0.6, { steps: 8 });
  await page.mouse.up();
  await expect(node(page, 'rpt_nights')).toBeInViewport();
});

test('who else is here leads to their node', async ({ open }) => {
  const project = await makeSample('at a node');
  const ada = await open(`/projects/${project}`);
  await open(`/projects/${project}?node=model.night_trains.dim_lines`, 'Bob');
  await ada.getByRole('button', { name: 'Bob is here, at dim_lines' }).click();
  await expect(ada.getByRole('complementary', { name: /dim_lines/ })).toBeVisible();
});

test('what failed leads to its line, and from a failed view its trace id is taken', async ({ open }) => {
  const project = await makeSample('to the line');
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.stg_rail__stations', sql: "select nothing as station_code from {{ ref('raw_stations') }}" });
  const run = await finishedRun(project, '+stg_rail__stations');
  const page = await open(`/projects/${project}/runs/${run}`);
  await page.getByRole('list', { name: 'Steps' }).getByRole('button', { name: /raw_stations/ }).first().click();
  await expect(page).toHaveURL(/step=/);
  await page.getByRole('list', { name: 'Steps' }).getByRole('button', { name: /failed stg_rail__stations/ }).click();
  await page.getByRole('alert').getByRole('link', { name: /stg_rail__stations.sql:1/ }).click();
  await expect(page.getByRole('textbox', { name: 'Text of stg_rail__stations' })).toBeVisible();
  await page.context().grantPermissions(['clipboard-write', 'clipboard-read']);
  await page.route(/\/api\/.*\/runs$/, (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', json: { type: '', title: 'Internal error', status: 500, code: 'INTERNAL', detail: 'this is a fault of DVT+; its log says more under the trace id', trace_id: 'abc', docs: '' } }));
  await page.goto(`/projects/${project}/runs`);
  await page.getByRole('alert').getByRole('button', { name: 'Copy trace id' }).click();
  await expect(page.getByRole('button', { name: 'Trace id copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('abc');
  await page.unroute(/\/api\/.*\/runs$/);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('link', { name: /failed/ }).first()).toBeVisible();
});
