/** No state of any page has a barrier: what axe says of each, light and, as far as colours matter, dark. */
import AxeBuilder from '@axe-core/playwright';
import { type Page, type Route, expect } from '@playwright/test';

import { edit, finishedRun, goToNode, graphIsDrawn, makeSample, published, test, writeSql } from './app';

/** Waits until nothing fades or moves any more: what is half there has no contrast. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // What a change of colours begins is known after the next frame.
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    const ends = document.getAnimations().filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity);
    await Promise.allSettled(ends.map((animation) => animation.finished));
  });
}

async function clear(page: Page, what: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await settled(page);
    // What passed needs no report, and no page of ours has frames: either takes axe seconds.
    const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode();
    const { violations } = await (colorScheme === 'light' ? axe : axe.withRules('color-contrast')).analyze();
    const found = violations.flatMap((violation) => violation.nodes.map((at) => `${violation.id}: ${at.target.join(' ')}`));
    expect.soft(found, `${what}, ${colorScheme}`).toEqual([]);
  }
}

async function loaded(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  await expect(page.locator('[role="status"][aria-label^="Loading"]')).toHaveCount(0);
}

// Each state is looked at twice, which takes seconds.
test.describe.configure({ timeout: 600_000 });

const BOOKINGS = '?node=model.night_trains.fct_bookings';

test('no page has a barrier', async ({ open }) => {
  const project = await makeSample('barriers');
  const page = await open('/');
  for (const place of ['', BOOKINGS, `${BOOKINGS}&tab=compiled`, `${BOOKINGS}&tab=columns`, `${BOOKINGS}&tab=config`, `${BOOKINGS}&tab=history`, `${BOOKINGS}&tab=preview`, '?select=%2Bdim_lines&problems=true', '/files', '/files?path=dbt_project.yml', '/runs', '/history', '/publish', '/environments']) {
    await page.goto(`/projects/${project}${place}`);
    await expect(page.getByRole('button', { name: '0 problems' })).toBeVisible();
    await loaded(page);
    await clear(page, place);
  }
  for (const place of ['/', '/nowhere']) {
    await page.goto(place);
    await expect(page.getByRole('heading').first()).toBeVisible();
    await clear(page, place);
  }
});

test('no dialog and no menu has a barrier', async ({ open }) => {
  const project = await makeSample('dialogs');
  const page = await open(`/projects/${project}${BOOKINGS}`);
  await graphIsDrawn(page);
  const dialog = page.getByRole('dialog');
  const closed = async () => {
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  };
  for (const key of ['a', 'c', 'Delete', '?', '/'] as const) {
    await page.getByRole('application', { name: /Graph of/ }).focus();
    await page.keyboard.press(key);
    await expect(dialog).toBeVisible();
    await clear(page, key);
    await closed();
  }
  for (const [command, settled] of [['Declare a source', 'Source'], ['Show the plan', '--select'], ['Add a file', 'Path'], ['New environment', 'Schema']] as const) {
    await page.locator('body').press('Control+k');
    await page.getByRole('combobox', { name: /^Search/ }).fill(command);
    await page.keyboard.press('Enter');
    await expect(dialog.getByLabel(settled, { exact: true })).toBeVisible();
    await expect(dialog.locator('[role="status"][aria-label^="Loading"]')).toHaveCount(0);
    await clear(page, command);
    await closed();
  }
  await page.goto(`/projects/${project}${BOOKINGS}&tab=columns`);
  await page.getByRole('button', { name: 'Add a test to days_ahead' }).click();
  await expect(dialog.getByRole('list', { name: 'What it writes' })).toBeVisible();
  await clear(page, 'add a test');
  await closed();
  await page.getByRole('button', { name: 'unique', exact: true }).first().click();
  await dialog.getByRole('button', { name: /^Show rows/ }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  await clear(page, 'a test, whose rows cannot be read');
  await closed();
  await page.getByRole('button', { name: /^Your name and settings/ }).click();
  await clear(page, 'settings');
  await page.keyboard.press('Escape');
  for (const menu of ['What to run', 'More for this node', 'Environment: dev']) {
    await page.getByRole('button', { name: menu }).click();
    await expect(page.getByRole('menu')).toBeVisible();
    await clear(page, menu);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toBeHidden();
  }
  await page.getByRole('button', { name: 'Rename fct_bookings' }).click();
  await page.getByRole('textbox', { name: 'New name' }).fill('fct_tickets');
  await expect(page.getByRole('list', { name: 'What the rename writes' })).toBeVisible();
  await clear(page, 'rename');
});

test('no state of an edit has a barrier', async ({ open }) => {
  const project = await makeSample('edit states');
  const page = await open(`/projects/${project}?node=model.night_trains.dim_lines`);
  const panel = page.getByRole('complementary', { name: /dim_lines/ });
  await writeSql(panel, "select 1 from {{ ref('nobody') }}");
  await clear(page, 'draft');
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.dim_lines', sql: 'select 2 as his' });
  await page.keyboard.press('Control+s');
  const choice = page.getByRole('dialog', { name: 'Two edits of the same lines' });
  await expect(choice.getByRole('textbox', { name: 'Theirs' })).toContainText('select 2 as his');
  await clear(page, 'conflict');
  await choice.getByRole('button', { name: 'Save mine' }).click();
  await expect(page.getByRole('button', { name: '1 problem' })).toBeVisible();
  await page.getByRole('button', { name: '1 problem' }).click();
  await expect(page.getByRole('region', { name: 'Problems' })).toContainText('nobody');
  await clear(page, 'problems and the strip');
  await page.context().setOffline(true);
  await writeSql(panel, 'select 3');
  await page.keyboard.press('Control+s');
  await expect(page.getByText('UNREACHABLE').first()).toBeVisible();
  await clear(page, 'offline');
});

test('nothing that came of a run or an edit has a barrier', async ({ open }) => {
  const project = await makeSample('outcomes');
  await published(project);
  await finishedRun(project, '+stg_rail__lines');
  await edit(project, { type: 'add_test', unique_id: 'model.night_trains.stg_rail__lines', column: 'line_code', test: 'accepted_values', arguments: { values: ['nothing'] } });
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.stg_rail__stations', sql: 'select nothing as station_code from {{ ref("raw_stations") }}'.replaceAll('"', "'") });
  await edit(project, { type: 'rename_node', unique_id: 'model.night_trains.rpt_nights', to: 'rpt_season' });
  const run = await finishedRun(project, '+stg_rail__lines +stg_rail__stations');
  const page = await open(`/projects/${project}`);
  await graphIsDrawn(page);
  await clear(page, 'states on the canvas');
  await page.goto(`/projects/${project}/runs`);
  await expect(page.getByRole('figure')).toBeVisible();
  await clear(page, 'list of runs');
  await page.goto(`/projects/${project}/runs/${run}`);
  await expect(page.getByRole('list', { name: 'Steps' })).toBeVisible();
  await page.getByRole('list', { name: 'Steps' }).getByRole('button', { name: /failed stg_rail__stations/ }).click();
  for (const tab of ['Error', 'Log', 'SQL sent', 'Why it ran']) {
    await page.getByRole('tab', { name: tab }).click();
    await loaded(page);
    await clear(page, `step, ${tab}`);
  }
  await page.getByRole('list', { name: 'Steps' }).getByRole('button', { name: /failed accepted_values/ }).click();
  await page.getByRole('tab', { name: /^Failing rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' })).toBeVisible();
  await clear(page, 'failing rows');
  await page.goto(`/projects/${project}/publish`);
  await expect(page.getByRole('list', { name: 'Files that will be committed' })).toContainText('renamed');
  await clear(page, 'what will be published');
  await page.goto(`/projects/${project}/history`);
  await page.getByRole('button', { name: /renamed rpt_nights/ }).click();
  await expect(page.getByRole('region', { name: 'Event', exact: true })).toContainText('rpt_season');
  await clear(page, 'an event');
  await page.goto(`/projects/${project}/environments`);
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await expect(page.getByText(/Connected in/)).toBeVisible();
  await clear(page, 'a tested environment');
  await page.goto(`/projects/${project}`);
  const panel = await goToNode(page, 'stg_rail__lines');
  await panel.getByRole('tab', { name: 'Preview' }).click();
  await panel.getByRole('button', { name: /^Show rows/ }).click();
  await expect(panel.getByRole('region', { name: 'Rows' })).toBeVisible();
  await clear(page, 'rows');
});

/** What the API answers in the place of itself, to see a page while it waits and when it fails. */
const ANSWERS = {
  loading: () => undefined,
  failing: (route: Route) => route.fulfill({ status: 500, contentType: 'application/problem+json', json: { type: '', title: 'Internal error', status: 500, code: 'INTERNAL', detail: 'this is a fault of DVT+; its log says more under the trace id', trace_id: 'abc', docs: '' } }),
  offline: (route: Route) => route.abort(),
};

/** Every view, and what it asks for first. */
const VIEWS = [
  ['', /\/graph\?/],
  [BOOKINGS, /\/nodes\/[^/?]+\?/],
  [`${BOOKINGS}&tab=compiled`, /\/compiled\?/],
  [`${BOOKINGS}&tab=history`, /\/nodes\/[^/?]+\/history/],
  ['?problems=true', /\/diagnostics\?/],
  ['/runs', /\/api\/.*\/runs$/],
  ['/runs/RUN', /\/api\/.*\/runs\/[^/]+$/],
  ['/history', /\/api\/.*\/history\?.*steps/],
  ['/publish', /\/publishes/],
  ['/environments', /\/api\/.*\/environments$/],
  ['/files', /\/tree/],
  ['/files?path=dbt_project.yml', /\/files\/dbt_project/],
] as const;

for (const [state, answer] of Object.entries(ANSWERS)) {
  test(`no view has a barrier while it is ${state}`, async ({ open }) => {
    const project = await makeSample(`states ${state}`);
    const run = await finishedRun(project, 'cabin_types');
    const page = await open('/nowhere');
    for (const [place, asked] of [...VIEWS.map(([view, what]) => [`/projects/${project}${view.replace('RUN', run)}`, what] as const), ['/', /\/api\/v1\/projects$/] as const]) {
      await page.route(asked, answer);
      await page.goto(place);
      await expect(state === 'loading' ? page.locator('[role="status"][aria-label^="Loading"]').first() : page.getByRole('alert').first()).toBeVisible();
      await clear(page, `${place} ${state}`);
      await page.unroute(asked);
    }
  });
}
