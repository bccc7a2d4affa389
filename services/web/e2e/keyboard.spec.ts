/** The page by keyboard alone, and without barriers. */
import AxeBuilder from '@axe-core/playwright';
import { type Page, type Route, expect } from '@playwright/test';

import { edit, graphIsDrawn, makeSample, node, test } from './app';

test('the graph is walked by arrow keys', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('walk')}?node=model.night_trains.fct_departures`);
  await graphIsDrawn(page);
  await page.getByRole('application', { name: /Graph of/ }).focus();
  await page.keyboard.press('ArrowLeft');
  await expect(page).toHaveURL(/node=model.night_trains.int_departures_delayed/);
  await page.keyboard.press(']');
  await expect(page).toHaveURL(/node=model.night_trains.fct_departures/);
  await page.keyboard.press('[');
  await expect(page).toHaveURL(/node=model.night_trains.int_departures_delayed/);
  await page.keyboard.press('f');
  await expect(page.getByText('2 steps each way')).toBeVisible();
  await expect(node(page, 'dim_passengers')).toHaveCount(0);
  await page.keyboard.press('f');
  await expect(node(page, 'dim_passengers')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/node=/);
});

test('a selector says how many nodes it takes, and dims the others', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('select')}`);
  await graphIsDrawn(page);
  await page.getByLabel('--select').fill('+dim_lines');
  await expect(page.getByText(/^7 of 42 nodes/)).toBeVisible();
  await expect(page).toHaveURL(/select=/);
});

test('the help lists the keys', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('help')}`);
  await graphIsDrawn(page);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toContainText('Walk the graph');
});

test('problems are opened by P, and Enter leads to the line', async ({ open }) => {
  const project = await makeSample('problems by keys');
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.dim_lines', sql: "select 1\n\nfrom {{ ref('nobody') }}" });
  const page = await open(`/projects/${project}`);
  await graphIsDrawn(page);
  await page.locator('body').press('p');
  await page.getByRole('region', { name: 'Problems' }).getByRole('button', { name: /nobody/ }).press('Enter');
  await expect(page.locator('.cm-marked-bad')).toContainText("ref('nobody')");
  await page.getByRole('button', { name: 'Close problems' }).press('Enter');
  await expect(page.getByRole('region', { name: 'Problems' })).toBeHidden();
});

async function violations(page: Page): Promise<string[]> {
  // React Flow draws its nodes and edges for the eye; what they say is said by the canvas's own label.
  const { violations: found } = await new AxeBuilder({ page }).exclude('.react-flow__minimap').analyze();
  return found.flatMap((violation) => violation.nodes.map((at) => `${violation.id}: ${at.target.join(' ')}`));
}

for (const theme of ['light', 'dark'] as const) {
  test(`no page has a barrier, ${theme}`, async ({ open }) => {
    const project = await makeSample(`barriers ${theme}`);
    const page = await open('/');
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const places = ['', '?node=model.night_trains.fct_bookings', '?node=model.night_trains.fct_bookings&tab=columns', '?node=model.night_trains.fct_bookings&tab=config', '/files?path=dbt_project.yml', '/runs', '/history', '/publish', '/environments'];
    expect(await violations(page)).toEqual([]);
    for (const place of places) {
      await page.goto(`/projects/${project}${place}`);
      await expect(page.getByRole('button', { name: '0 problems' })).toBeVisible();
      await expect(page.locator('main h1')).toHaveCount(1);
      await expect(page.locator('main [role="status"][aria-label^="Loading"]')).toHaveCount(0);
      expect(await violations(page), place).toEqual([]);
    }
  });
}

/** What the API answers in the place of itself, to see a page while it waits and when it fails. */
const ANSWERS = {
  loading: () => undefined,
  failing: (route: Route) => route.fulfill({ status: 500, contentType: 'application/problem+json', json: { type: '', title: 'Internal error', status: 500, code: 'INTERNAL', detail: 'internal error', trace_id: 'abc', docs: '' } }),
  offline: (route: Route) => route.abort(),
};

for (const theme of ['light', 'dark'] as const) {
  test(`no state and no dialog has a barrier, ${theme}`, async ({ open }) => {
    const project = await makeSample(`states ${theme}`);
    const page = await open(`/projects/${project}?node=model.night_trains.fct_bookings`);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await graphIsDrawn(page);
    for (const key of ['a', 'c', 'Delete', '?', '/'] as const) {
      await page.getByRole('application', { name: /Graph of/ }).focus();
      await page.keyboard.press(key);
      await expect(page.getByRole('dialog')).toBeVisible();
      expect(await violations(page), key).toEqual([]);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toBeHidden();
    }
    for (const [state, answer] of Object.entries(ANSWERS)) {
      for (const [place, asked] of [['', /\/graph\?/], ['/runs', /\/api\/.*\/runs$/], ['/history', /\/api\/.*\/history\?.*steps/], ['/publish', /\/publishes/], ['/environments', /\/api\/.*\/environments$/], ['/files', /\/tree/]] as const) {
        await page.route(asked, answer);
        await page.goto(`/projects/${project}${place}`);
        await expect(state === 'loading' ? page.locator('[role="status"][aria-label^="Loading"]').first() : page.getByRole('alert').first()).toBeVisible();
        expect(await violations(page), `${place} ${state}`).toEqual([]);
        await page.unroute(asked);
      }
    }
  });
}
