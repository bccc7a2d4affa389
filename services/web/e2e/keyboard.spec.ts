/** The page by keyboard alone. */
import { expect } from '@playwright/test';

import { edit, finishedRun, graphIsDrawn, makeSample, node, placeOf, test } from './app';

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

test('a dialog gives the focus back', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('focus')}?node=model.night_trains.dim_lines`);
  await graphIsDrawn(page);
  const canvas = page.getByRole('application', { name: /Graph of/ });
  await canvas.focus();
  for (const key of ['?', 'a', 'c', 'Delete', 'Control+k']) {
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
    await expect(canvas, `after ${key}`).toBeFocused();
  }
});

test('a node is moved by keyboard and stays there', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('nudge')}?node=seed.night_trains.cabin_types`);
  await graphIsDrawn(page);
  const frame = page.getByTestId('rf__node-seed.night_trains.cabin_types');
  const before = await placeOf(frame);
  await page.getByRole('application', { name: /Graph of/ }).focus();
  const wanted = { x: before.x + 40, y: before.y + 20 };
  const placed = page.waitForResponse((answer) => answer.url().endsWith('/commands') && answer.request().postData()?.includes(`"x":${wanted.x},"y":${wanted.y}`) === true);
  for (const key of ['Alt+ArrowDown', 'Alt+ArrowLeft', 'Alt+ArrowRight', 'Alt+ArrowRight', 'Alt+ArrowRight']) await page.keyboard.press(key);
  await placed;
  expect(await placeOf(frame)).toEqual(wanted);
  await page.reload();
  await graphIsDrawn(page);
  await expect.poll(() => placeOf(frame)).toEqual(wanted);
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

test('rows are previewed by Ctrl Enter, of a CTE by Alt Enter; F12 goes to the definition', async ({ open }) => {
  const project = await makeSample('preview by keys');
  await finishedRun(project, '+stg_rail__lines');
  const page = await open(`/projects/${project}?node=model.night_trains.stg_rail__lines`);
  const panel = page.getByRole('complementary', { name: /stg_rail__lines/ });
  const editor = panel.getByRole('textbox', { name: 'Text of stg_rail__lines' });
  await editor.focus();
  await page.keyboard.press('Control+Enter');
  await expect(panel.getByText(/^Preview · \d+ rows/)).toBeVisible();
  await expect(panel.getByRole('region', { name: 'Rows' }).getByRole('columnheader').first()).toContainText(/text|integer|date/);
  await page.keyboard.press('Control+Home');
  for (let line = 0; line < 3; line += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Alt+Enter');
  await expect(panel.getByText(/^Preview of \w+ · \d+ rows/)).toBeVisible();
  await editor.getByText("'lines'").click();
  await page.keyboard.press('F12');
  await expect(page).not.toHaveURL(/node=model.night_trains.stg_rail__lines/);
});
