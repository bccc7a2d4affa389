/** What every page has: a title and an icon that say how the last run stands, deep links, the theme, a lost connection. */
import { expect } from '@playwright/test';

import { edit, finishedRun, graphIsDrawn, makeSample, node, test } from './app';

test('title and icon say how the last run stands', async ({ open }) => {
  const project = await makeSample('title');
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.stg_rail__lines', sql: "{{ config(materialized='table') }} select pg_sleep(600)::text as x" });
  const page = await open(`/projects/${project}`);
  await expect(page).toHaveTitle('title · DVT+');
  const icon = () => page.locator('link[rel="icon"]').getAttribute('href');
  const plain = await icon();
  await page.getByLabel('--select').fill('stg_rail__lines');
  await expect(page).toHaveURL(/select=/);
  await page.locator('body').press('Control+Enter');
  await expect(page).toHaveTitle(/^[◌◐] title/);
  await expect.poll(icon).not.toBe(plain);
  await expect(page).toHaveTitle('◐ title · DVT+');
  const running = await icon();
  await page.locator('body').press('Control+k');
  await page.getByRole('combobox', { name: /^Search/ }).fill('Cancel run 1');
  await page.keyboard.press('Enter');
  await expect(page).toHaveTitle('⊘ title · DVT+');
  await expect.poll(icon).not.toBe(running);
});

test('the theme is chosen in the settings and kept', async ({ open }) => {
  const page = await open('/');
  await page.getByRole('button', { name: /^Your name and settings/ }).click();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.keyboard.press('Escape');
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.reload();
  expect(await ground()).toBe(dark);
  await page.getByRole('button', { name: /^Your name and settings/ }).press('Enter');
  await page.getByRole('radio', { name: 'Light' }).press('Space');
  await expect.poll(ground).not.toBe(dark);
});

test('every node, file, run, step and version has an address of its own', async ({ open }) => {
  const project = await makeSample('links');
  const run = await finishedRun(project, 'cabin_types');
  const page = await open(`/projects/${project}?node=model.night_trains.fct_bookings&tab=config`);
  await expect(page.getByRole('tab', { name: 'Config' })).toHaveAttribute('aria-selected', 'true');
  await page.goto(`/projects/${project}/files?path=dbt_project.yml&line=3`);
  await expect(page.getByRole('textbox', { name: 'Text of dbt_project.yml' })).toBeVisible();
  await page.goto(`/projects/${project}/runs/${run}?step=seed.night_trains.cabin_types`);
  await expect(page.getByRole('region', { name: 'Step cabin_types' })).toBeVisible();
  await page.goto(`/projects/${project}/history`);
  await page.getByRole('region', { name: 'Events' }).getByRole('button', { name: /import/i }).first().click();
  await expect(page).toHaveURL(/event=/);
  await page.reload();
  await expect(page.getByRole('region', { name: 'Event', exact: true })).toContainText('position');
  await page.goto('/nowhere');
  await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
  await page.goto(`/projects/${project}/nowhere`);
  await expect(page.getByRole('main').getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
  await expect(page.getByRole('navigation', { name: 'Project' })).toBeVisible();
});

test('a lost connection is said, and what happened meanwhile is caught up', async ({ open }) => {
  const project = await makeSample('lost');
  const page = await open(`/projects/${project}`);
  await graphIsDrawn(page);
  await page.route('**/stream?*', (route) => route.abort());
  await page.reload();
  await expect(page.getByText('Reconnecting…')).toBeVisible();
  await edit(project, { type: 'add_node', name: 'rpt_meanwhile', layer: 'marts', from: [] });
  let go = () => {};
  const held = new Promise<void>((resume) => (go = resume));
  await page.route('**/graph?*', async (route) => {
    await held;
    await route.continue();
  });
  await page.unroute('**/stream?*');
  await expect(page.getByText('Catching up…')).toBeVisible();
  go();
  await expect(page.getByText(/Reconnecting…|Catching up…/)).toBeHidden();
  await expect(node(page, 'rpt_meanwhile')).toBeVisible();
});
