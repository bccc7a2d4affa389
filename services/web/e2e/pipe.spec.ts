/** The whole way on the real binaries: a dbt project is taken in, seen, changed, run, published. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Page, expect } from '@playwright/test';

import { SAMPLE, askTarget, goToNode, graphIsDrawn, rename, strip, test, writeSql } from './app';

function clone(repository: string, branch: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dvt-clone-'));
  execFileSync('git', ['clone', '--quiet', '--branch', branch, repository, folder]);
  return folder;
}

function rowsOf(seed: string): number {
  return readFileSync(join(SAMPLE, seed), 'utf8').trimEnd().split('\n').length - 1;
}

async function importSample(page: Page): Promise<void> {
  await page.getByLabel('Folder to import').setInputFiles(SAMPLE);
  const report = page.getByRole('dialog', { name: 'night_trains is imported' });
  await expect(report).toContainText('22 models');
  await report.getByRole('link', { name: 'Open the graph' }).click();
  await page.waitForURL(/projects\/[0-9a-f-]{36}/);
}

async function seeAll(page: Page): Promise<void> {
  await graphIsDrawn(page);
  await expect(page.locator('[data-group]')).toHaveText([/booking.*4 tables/, /rail.*4 tables/]);
  await page.getByRole('button', { name: 'Open all groups' }).click();
  await page.getByRole('button', { name: 'Zoom to fit' }).click();
  await expect(page.locator('[data-node]')).toHaveCount(42);
  await expect(page.locator('[data-edges]')).toHaveAttribute('data-edges', '47');
}

async function editNights(page: Page): Promise<void> {
  const panel = await goToNode(page, 'rpt_nights');
  const sql = readFileSync(join(SAMPLE, 'models/marts/operations/rpt_nights.sql'), 'utf8');
  await writeSql(panel, sql.replace('days.season,', "days.season,\n        'by hand' as written,"));
  await page.keyboard.press('Control+s');
  await expect(strip(page)).toContainText('rpt_nights.sql +');
}

async function renameTwo(page: Page): Promise<void> {
  await rename(await goToNode(page, 'fct_bookings'), 'fct_bookings', 'fct_tickets');
  await rename(await goToNode(page, 'rpt_nights'), 'rpt_nights', 'rpt_season');
}

async function run(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await strip(page).filter({ hasText: 'Run 1' }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: /^Run 1 .*succeeded/ })).toBeVisible({ timeout: 120_000 });
  const steps = page.locator('[data-step]');
  await expect(steps).toHaveCount(await page.locator('[data-step][data-state="succeeded"]').count());
  expect(await steps.count()).toBeGreaterThan(70);
}

function checkTarget(): void {
  expect(askTarget('select count(*) from dev_raw.raw_departures')).toBe(String(rowsOf('seeds/rail/raw_departures.csv')));
  expect(askTarget('select count(*) from dev_operations.fct_departures')).toBe(String(rowsOf('seeds/rail/raw_departures.csv')));
  expect(askTarget('select count(*) from dev_passengers.fct_tickets')).toBe(askTarget('select count(distinct booking_id) from dev_passengers.fct_tickets'));
  expect(askTarget("select count(*) > 0 and bool_and(written = 'by hand') from dev_operations.rpt_season")).toBe('t');
  expect(askTarget('select sum(departures) from dev_operations.rpt_season')).toBe(askTarget('select count(*) from dev_operations.fct_departures'));
}

async function publish(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Project' }).getByRole('link', { name: 'Publish' }).click();
  await page.getByLabel('Message').fill('Season report\n\nTickets, not bookings.');
  await page.getByRole('button', { name: /^Publish version/ }).click();
  await expect(page.getByRole('list', { name: 'Publications' }).getByText(/^\W*published$/)).toBeVisible({ timeout: 60_000 });
}

/** Clones what the page says can be cloned. */
async function checkGit(page: Page): Promise<void> {
  const command = page.getByTestId('repository');
  await expect(command).toHaveText(/^git clone -b main \S+$/);
  const repository = (await command.innerText()).replace('git clone -b main ', '');
  const [files, artifacts] = [clone(repository, 'main'), clone(repository, 'dvt-artifacts')];
  const text = (path: string) => readFileSync(join(files, path), 'utf8');
  try {
    expect(existsSync(join(files, 'models/marts/passengers/fct_bookings.sql'))).toBe(false);
    expect(text('models/marts/passengers/fct_breakfasts.sql')).toContain("ref('fct_tickets')");
    expect(text('tests/passengers_sleep_in_one_train_a_night.sql')).toContain("ref('fct_tickets')");
    expect(text('models/marts/passengers/_passengers__models.yml')).toContain('name: fct_tickets');
    expect(text('models/marts/operations/_operations__exposures.yml')).toContain("ref('rpt_season')");
    expect(text('models/marts/operations/rpt_season.sql')).toContain("'by hand' as written");
    expect(text('seeds/rail/raw_lines.csv')).toBe(readFileSync(join(SAMPLE, 'seeds/rail/raw_lines.csv'), 'utf8'));
    const found = readdirSync(artifacts, { recursive: true, encoding: 'utf8' });
    expect(found.some((path) => path.endsWith('manifest.json'))).toBe(true);
    expect(found.some((path) => path.endsWith('fct_tickets.sql'))).toBe(true);
  } finally {
    rmSync(files, { recursive: true });
    rmSync(artifacts, { recursive: true });
  }
}

async function checkHistory(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Project' }).getByRole('link', { name: 'History' }).click();
  const events = page.getByRole('region', { name: 'Events' });
  // The steps of the run came after the edits.
  const older = events.getByRole('button', { name: 'Older' });
  await expect(async () => {
    if (await older.isVisible()) await older.click();
    await expect(older).toBeHidden({ timeout: 1_000 });
  }).toPass();
  for (const summary of ['renamed rpt_nights to rpt_season', 'renamed fct_bookings to fct_tickets', /rpt_nights/]) {
    await expect(events.getByRole('button', { name: summary }).first()).toBeVisible();
  }
  await events.getByRole('button', { name: 'renamed fct_bookings to fct_tickets' }).click();
  await expect(page.getByRole('region', { name: 'Event', exact: true })).toContainText("+    select * from {{ ref('fct_tickets') }}");
}

test('a project is imported, seen, edited, renamed in, run, published and cloned', async ({ open }) => {
  const page = await open('/');
  await importSample(page);
  await test.step('all nodes and edges are there', () => seeAll(page));
  await test.step('a model is edited', () => editNights(page));
  await test.step('two models are renamed', () => renameTwo(page));
  await test.step('everything runs', () => run(page));
  await test.step('the target holds what was meant', checkTarget);
  await test.step('it is published', () => publish(page));
  await test.step('a clone has project and artifacts', () => checkGit(page));
  await test.step('every edit is in the history', () => checkHistory(page));
});
