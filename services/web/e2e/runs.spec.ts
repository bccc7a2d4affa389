/** Runs and publications: what is to come, what is under way, what came of it. */
import { expect } from '@playwright/test';

import { edit, finishedRun, goToNode, graphIsDrawn, makeSample, node, published, strip, test, writeSql } from './app';

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
  await strip(page).filter({ hasText: /Run \d+/ }).getByRole('link', { name: 'View' }).click();
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
  await strip(page).filter({ hasText: /Run \d+/ }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: /^Run 1 .*failed/ })).toBeVisible({ timeout: 60_000 });
  await page.getByRole('tab', { name: /^Failing rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' }).getByRole('row').nth(1)).toBeVisible();
  await page.getByRole('region', { name: /^Step accepted_values/ }).getByRole('link', { name: 'cabin_types' }).click();
  await expect(page.getByRole('button', { name: 'Add a test to cabin_type' })).toBeVisible();
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
  await expect(page.getByRole('list', { name: 'Publications' })).toContainText(/commit [0-9a-f]{10}/);
  await expect(page.getByText('There is nothing to publish.')).toBeVisible();
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

const SLOW = { type: 'set_sql', unique_id: 'model.night_trains.stg_rail__lines', sql: "{{ config(materialized='table') }} select pg_sleep(600)::text as x" };

test('a run is cancelled by mouse, and what waits does not start', async ({ open }) => {
  const project = await makeSample('cancel');
  await edit(project, SLOW);
  const page = await open(`/projects/${project}?select=stg_rail__lines%2B`);
  await graphIsDrawn(page);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await strip(page).filter({ hasText: /Run \d+/ }).getByRole('link', { name: 'View' }).click();
  const steps = page.getByRole('list', { name: 'Steps' });
  await expect(steps.getByRole('button', { name: /running stg_rail__lines/ })).toBeVisible();
  await page.getByRole('tab', { name: 'Log' }).press('Enter');
  await expect(page.getByText('Nothing yet.')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { name: /^Run 1 .*cancelled/ })).toBeVisible({ timeout: 60_000 });
  await expect(steps.getByRole('button', { name: /(cancelled|skipped) dim_lines/ })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Rerun from failure' })).toBeVisible();
});

test('a log is followed while its step is under way, and whoever scrolls up is left there', async ({ open }) => {
  const project = await makeSample('log');
  const say = "do $$ begin for n in 1..20 loop for line in 1..9 loop raise notice 'round %, line %', n, line; end loop; perform pg_sleep(0.4); end loop; end $$";
  await edit(project, { type: 'add_node', name: 'rpt_talk', layer: 'marts', from: ['model.night_trains.fct_departures'] });
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.rpt_talk', sql: `{{ config(materialized='table', pre_hook="${say}") }} select 1 as x` });
  const page = await open(`/projects/${project}?select=rpt_talk`);
  await graphIsDrawn(page);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await strip(page).filter({ hasText: /Run \d+/ }).getByRole('link', { name: 'View' }).click();
  const log = page.getByRole('log', { name: 'Log of rpt_talk' });
  const left = () => log.evaluate(({ scrollHeight, scrollTop, clientHeight }) => ({ isLong: scrollHeight > clientHeight, below: Math.round(scrollHeight - scrollTop - clientHeight) }));
  await expect(log.getByText('round 6, line 9')).toBeAttached();
  await expect(page.getByRole('list', { name: 'Steps' }).getByRole('button', { name: /running rpt_talk/ })).toBeVisible();
  await expect.poll(left).toEqual({ isLong: true, below: 0 });
  await log.focus();
  await page.keyboard.press('Control+Home');
  await expect(log.getByText('round 1, line 1', { exact: false }).first()).toBeInViewport();
  await expect(log.getByText('round 20, line 9')).toBeAttached({ timeout: 30_000 });
  await expect(log.getByText('round 1, line 1', { exact: false }).first()).toBeInViewport();
});

test('runs are listed with how long each took, and a rerun says how long it will take', async ({ open }) => {
  const project = await makeSample('durations');
  await edit(project, { ...SLOW, sql: "{{ config(materialized='table') }} select 'A' as line_code, pg_sleep(1.5)::text as x" });
  await finishedRun(project, 'stg_rail__lines');
  await finishedRun(project, 'cabin_types');
  const page = await open(`/projects/${project}/runs`);
  const chart = page.getByRole('figure');
  await expect(chart).toContainText('Duration of the last 2 runs');
  await expect(chart.getByRole('link', { name: /^Run 2, succeeded/ })).toBeVisible();
  await chart.getByRole('link', { name: /^Run 1, / }).press('Enter');
  await page.getByRole('button', { name: 'Rerun', exact: true }).press('Enter');
  await expect(page.getByRole('heading', { name: /^Run 3 / })).toBeVisible();
  await expect(page.getByText(/about [\d.]+ s in all/)).toBeVisible();
  await expect(page.getByRole('heading', { name: /^Run 3 .*(succeeded|failed)/ })).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'What to run' }).click();
  await page.getByRole('menuitem', { name: 'Show the plan first…' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: '--select' }).fill('stg_rail__lines');
  await expect(page.getByRole('dialog').getByRole('status')).toContainText(/about [\d.]+ s/);
});

test('the menu runs this node, what is upstream, what is downstream', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('menu')}?node=seed.night_trains.cabin_types`);
  await graphIsDrawn(page);
  for (const [item, select] of [['This node', 'cabin_types'], ['With all upstream', '+cabin_types'], ['With all downstream', 'cabin_types+']] as const) {
    await page.getByRole('button', { name: 'What to run' }).press('Enter');
    const asked = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/runs'));
    await page.getByRole('menuitem', { name: new RegExp(`^${item}`) }).press('Enter');
    expect((await asked).postDataJSON()).toMatchObject({ select, command: 'build' });
    await expect(strip(page)).toContainText(/Run \d|RUN_CONFLICT/);
  }
});

test('a publication calls a renamed file renamed', async ({ open }) => {
  const project = await makeSample('renamed');
  await published(project);
  await edit(project, { type: 'rename_node', unique_id: 'model.night_trains.rpt_nights', to: 'rpt_season' });
  const page = await open(`/projects/${project}/publish`);
  const files = page.getByRole('list', { name: 'Files that will be committed' });
  await expect(files.getByRole('button', { name: /rpt_nights.sql → .*rpt_season.sql renamed/ })).toBeVisible();
  await expect(files).not.toContainText('removed');
});
