/** Takes pictures of every page, light and dark, 1280 and 1920 wide; three of them go to docs/. */
import { join, resolve } from 'node:path';

import { type Page, expect } from '@playwright/test';

import { goToNode, graphIsDrawn, makeSample, rename, test } from './app';

const FOLDER = resolve(import.meta.dirname, '../../../target/screenshots');
const DOCS = resolve(import.meta.dirname, '../../../docs/pictures');
const WIDTHS = [1280, 1920];
/** What README.md shows. */
const OF_README = new Set(['graph-light-1280', 'run-light-1280', 'node-dark-1280']);

async function settled(page: Page): Promise<void> {
  await expect(page.locator('[role="status"][aria-label^="Loading"]')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
}

async function take(page: Page, name: string): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: Math.round(width * 0.6) });
      await settled(page);
      const file = `${name}-${theme}-${width}`;
      const picture = { animations: 'disabled' as const };
      await page.screenshot({ ...picture, path: join(FOLDER, `${file}.png`) });
      if (OF_README.has(file)) await page.screenshot({ ...picture, path: join(DOCS, `${name}.png`) });
    }
  }
}

async function runAll(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByTestId('strip').filter({ hasText: 'started' }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: /^Run \d+ .*(succeeded|failed)/ })).toBeVisible({ timeout: 120_000 });
}

test('pictures of every page', async ({ open }) => {
  test.setTimeout(600_000);
  const page = await open('/');
  await page.route('**/api/v1/projects', (route) => route.fulfill({ json: { projects: [] } }));
  await page.reload();
  await take(page, 'projects-empty');
  await page.unroute('**/api/v1/projects');

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
  await take(page, 'graph');
  const panel = await goToNode(page, 'fct_bookings');
  await panel.getByRole('tab', { name: 'Preview' }).click();
  await panel.getByRole('button', { name: /^Show rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' })).toBeVisible();
  await take(page, 'rows');
  await rename(await goToNode(page, 'rpt_nights'), 'rpt_nights', 'rpt_season');
  for (const tab of ['SQL', 'Compiled', 'Columns & tests', 'Config', 'History']) {
    await page.getByRole('tab', { name: tab }).click();
    await take(page, tab === 'SQL' ? 'node' : `node-${tab.toLowerCase().replace(/\W+/g, '-')}`);
  }
  await page.goto(`${at}/history`);
  await page.getByRole('button', { name: /renamed rpt_nights/ }).click();
  await take(page, 'history');
  await page.goto(`${at}/runs`);
  await take(page, 'runs');
  await page.goto('/');
  await take(page, 'projects');
  await page.route('**/api/v1/**', (route) => route.abort());
  await page.goto(at);
  await expect(page.getByText('UNREACHABLE').first()).toBeVisible();
  await take(page, 'unreachable');
});
