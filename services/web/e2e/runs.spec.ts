/** Runs and publications: what is to come, what is under way, what came of it. */
import { expect } from '@playwright/test';

import { goToNode, graphIsDrawn, makeSample, node, strip, test, writeSql } from './app';

test('a plan says what would run and why; a failed run is taken up again', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('plan')}`);
  await graphIsDrawn(page);
  const panel = await goToNode(page, 'stg_rail__stations');
  await writeSql(panel, "select station_codd from {{ ref('raw_stations') }}");
  await page.keyboard.press('Control+s');
  await expect(strip(page)).toContainText('stg_rail__stations.sql');
  await page.getByRole('button', { name: 'What to run' }).press('Enter');
  await page.getByRole('menuitem', { name: 'Show the plan first…' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Plan of a run in dev' });
  await dialog.getByRole('textbox', { name: '--select' }).fill('+stg_rail__stations');
  await expect(dialog.getByRole('list', { name: 'Steps of the plan' })).toContainText('selected by `+stg_rail__stations`');
  await dialog.getByRole('button', { name: /^Run \d+ steps/ }).click();
  await strip(page).filter({ hasText: 'started' }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: /^Run 1 .*failed/ })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('alert')).toContainText('station_codd');
  await page.getByRole('link', { name: 'Graph' }).click();
  await writeSql(await goToNode(page, 'stg_rail__stations'), "select station_code from {{ ref('raw_stations') }}");
  await page.keyboard.press('Control+s');
  await expect(strip(page)).toContainText('stg_rail__stations.sql');
  await page.getByRole('button', { name: 'What to run' }).click();
  await expect(page.getByRole('menuitem', { name: /^Changed since run 1/ })).toContainText(/\d+ nodes?/);
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Runs' }).click();
  await page.getByRole('link', { name: /failed/ }).first().click();
  await page.getByRole('button', { name: 'Rerun from failure' }).click();
  await expect(page.getByRole('heading', { name: /^Run 2 / })).toBeVisible();
});

test('a run is watched live by a second browser, and is one line of the history', async ({ open }) => {
  const project = await makeSample('watched');
  const [ada, bob] = [await open(`/projects/${project}`), await open(`/projects/${project}`, 'Bob')];
  await graphIsDrawn(bob);
  await expect(ada.getByRole('button', { name: /^Bob is here/ })).toBeVisible();
  await ada.getByLabel('--select').fill('cabin_types');
  await expect(ada).toHaveURL(/select=/);
  await ada.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(node(bob, 'cabin_types').getByLabel('succeeded')).toBeVisible({ timeout: 60_000 });
  await bob.getByRole('link', { name: 'History' }).click();
  const events = bob.getByRole('region', { name: 'Events' });
  await expect(events.getByRole('button', { name: /^run 1 finished/ })).toHaveCount(1);
  await events.getByRole('tab', { name: 'Edits' }).click();
  await expect(events.getByRole('button', { name: /run 1/ })).toHaveCount(0);
});

test('a test that fails shows its rows', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('rows of a test')}?node=seed.night_trains.cabin_types&tab=columns`);
  await page.getByRole('button', { name: 'Add a test to cabin_type' }).click();
  const dialog = page.getByRole('dialog', { name: 'Test cabin_type' });
  await dialog.getByLabel('Test', { exact: true }).selectOption('accepted_values');
  await dialog.getByRole('textbox', { name: 'values' }).fill('nothing');
  await dialog.getByRole('button', { name: 'Add the test' }).click();
  await expect(dialog).toBeHidden();
  await page.getByLabel('--select').fill('cabin_types');
  await expect(page).toHaveURL(/select=/);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await strip(page).filter({ hasText: 'started' }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: /^Run 1 .*failed/ })).toBeVisible({ timeout: 60_000 });
  await page.getByRole('tab', { name: /^Failing rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' }).getByRole('row').nth(1)).toBeVisible();
});

test('a publication shows its diff and proposes its message', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('publish')}/publish`);
  await page.getByRole('button', { name: /^Publish version/ }).click();
  const published = page.getByRole('list', { name: 'Publications' }).getByText(/^\W*published$/);
  await expect(published).toBeVisible({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Graph' }).click();
  const panel = await goToNode(page, 'dim_lines');
  await writeSql(panel, 'select 1 as line_code');
  await page.keyboard.press('Control+s');
  await expect(page.getByRole('link', { name: /1 edit ahead/ })).toBeVisible();
  await page.getByRole('navigation', { name: 'Project' }).getByRole('link', { name: 'Publish' }).click();
  await expect(page.getByLabel('Message')).toHaveValue('Changed the SQL of dim_lines');
  await expect(page.getByRole('list', { name: 'Files that will be committed' })).toContainText('+select 1 as line_code');
  await page.getByRole('button', { name: /^Publish version/ }).press('Enter');
  await expect(published).toHaveCount(2, { timeout: 60_000 });
});

test('an environment answers whether its target does', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('environments')}/environments`);
  await page.getByRole('button', { name: 'New environment' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'New environment' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('prod');
  await dialog.getByRole('textbox', { name: 'Schema' }).fill('prod');
  await dialog.getByRole('button', { name: 'Define' }).click();
  const item = page.getByRole('group', { name: 'Environment prod' });
  await item.getByRole('button', { name: 'Test the connection' }).click();
  await expect(item.getByRole('status')).toContainText('Connected in');
});
