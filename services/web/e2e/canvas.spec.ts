/** The canvas: each gesture by keyboard and by mouse, and what it wrote. */
import { type Page, expect } from '@playwright/test';

import { goToNode, graphIsDrawn, makeSample, node, strip, test } from './app';

const canvas = (page: Page) => page.getByRole('application', { name: /Graph of/ });

test('a node is added by keyboard: its layer, what it reads, its name', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('add by keys')}?node=model.night_trains.stg_rail__lines`);
  await graphIsDrawn(page);
  await canvas(page).focus();
  await page.keyboard.press('a');
  const dialog = page.getByRole('dialog', { name: 'Add a node' });
  await expect(dialog.getByRole('radio', { name: /Intermediate/ })).toBeChecked();
  await expect(dialog.getByRole('textbox', { name: 'Name' })).toHaveValue('int_lines_joined');
  await dialog.getByRole('combobox', { name: 'Reads' }).fill('stg_rail__stat');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('list', { name: 'What it writes' })).toContainText("ref('stg_rail__stations')");
  await dialog.getByRole('textbox', { name: 'Name' }).fill('int_lines_with_stations');
  await page.keyboard.press('Enter');
  await expect(strip(page)).toContainText('int_lines_with_stations.sql +');
  await expect(page).toHaveURL(/node=model.night_trains.int_lines_with_stations/);
  await expect(node(page, 'int_lines_with_stations')).toBeVisible();
});

test('a node is added by mouse, as a template has it', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('add by mouse')}`);
  await graphIsDrawn(page);
  await page.getByRole('button', { name: /^Add node/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a node' });
  await dialog.getByText('Dimension', { exact: true }).click();
  await dialog.getByRole('combobox', { name: 'Reads' }).fill('stg_rail__stations');
  await dialog.getByRole('option', { name: /stg_rail__stations/ }).click();
  await expect(dialog.getByRole('textbox', { name: 'Name' })).toHaveValue('dim_stations');
  await dialog.getByRole('button', { name: 'Add dim_stations' }).click();
  await expect(node(page, 'dim_stations')).toBeVisible();
});

test('two nodes are connected by a drag, and the strip leads to what it wrote', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('drag')}`);
  await graphIsDrawn(page);
  const [from, to] = [node(page, 'calendar_days'), node(page, 'dim_passengers')];
  await from.hover();
  await from.locator('.react-flow__handle.source').hover();
  await page.mouse.down();
  await to.hover();
  await to.locator('.react-flow__handle.target').hover();
  await page.mouse.up();
  await expect(strip(page)).toContainText('dim_passengers.sql +');
  await strip(page).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('region', { name: 'Event', exact: true })).toContainText('calendar_days');
});

test('a node is connected and disconnected by keyboard', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('connect')}?node=model.night_trains.dim_passengers`);
  await graphIsDrawn(page);
  await canvas(page).focus();
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'Connect dim_passengers' });
  await dialog.getByRole('combobox', { name: 'What it reads' }).fill('dim_lines');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('list', { name: 'What it writes' })).toContainText("ref('dim_lines')");
  await dialog.getByRole('button', { name: 'Connect' }).press('Enter');
  await expect(strip(page)).toContainText('dim_passengers.sql +');
  await page.getByRole('tab', { name: /^Columns/ }).click();
  await page.getByRole('button', { name: 'Do not read dim_lines any more' }).press('Enter');
  await expect(strip(page)).toContainText('dim_passengers.sql');
  await expect(page.getByRole('list', { name: 'Reads' })).not.toContainText('dim_lines');
});

test('a removal says what would break, and is refused while it would', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('remove')}?node=model.night_trains.fct_bookings`);
  await graphIsDrawn(page);
  await canvas(page).focus();
  await page.keyboard.press('Delete');
  const dialog = page.getByRole('dialog', { name: 'Remove fct_bookings?' });
  await expect(dialog).toContainText('fct_breakfasts.sql');
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  const panel = await goToNode(page, 'rpt_revenue_by_cabin');
  await panel.getByRole('button', { name: 'More for this node' }).click();
  await page.getByRole('menuitem', { name: /Remove/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(strip(page)).toContainText('removed rpt_revenue_by_cabin');
  await expect(node(page, 'rpt_revenue_by_cabin')).toHaveCount(0);
});

test('several nodes are picked by mouse and by keyboard, and selected together', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('pick')}`);
  await graphIsDrawn(page);
  await node(page, 'fct_bookings').click({ modifiers: ['Control'] });
  await node(page, 'dim_passengers').click({ modifiers: ['Control'] });
  const bar = page.getByRole('toolbar', { name: '2 nodes picked' });
  await bar.getByRole('button', { name: '--select them' }).click();
  await expect(page.getByLabel('--select')).toHaveValue(/fct_bookings|dim_passengers/);
  await canvas(page).focus();
  await page.keyboard.press('Escape');
  await expect(bar).toBeHidden();
  await node(page, 'dim_passengers').click();
  await canvas(page).focus();
  await page.keyboard.press('Shift+ArrowDown');
  await expect(bar).toBeVisible();
  await page.keyboard.press('ArrowUp');
  await expect(bar).toBeHidden();
});

test('a dragged node stays where it was put', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('pin')}`);
  await graphIsDrawn(page);
  const moved = node(page, 'calendar_days');
  const before = await moved.boundingBox();
  if (!before) throw new Error('the node is not drawn');
  await page.mouse.move(before.x + 30, before.y + 10);
  await page.mouse.down();
  await page.mouse.move(before.x + 90, before.y + 60, { steps: 6 });
  await page.mouse.up();
  const frame = page.getByTestId('rf__node-model.calendar.calendar_days');
  const place = /translate\(([-\d.]+)px, ([-\d.]+)px\)/.exec((await frame.getAttribute('style')) ?? '');
  const [x, y] = [Math.round(Number(place?.[1])), Math.round(Number(place?.[2]))];
  await page.reload();
  await graphIsDrawn(page);
  await expect(frame).toHaveAttribute('style', new RegExp(`translate\\(${x}px, ${y}px\\)`));
});

test('a source opens by a click and by Enter, and closes by its frame', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('groups')}`);
  await graphIsDrawn(page);
  await page.locator('[data-group]', { hasText: 'rail' }).click();
  await expect(node(page, 'stations')).toBeVisible();
  await page.getByRole('button', { name: /^rail · 4 tables/ }).click();
  await expect(node(page, 'stations')).toHaveCount(0);
  await node(page, 'stg_rail__lines').click();
  await canvas(page).focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('button', { name: 'Close all groups' })).toBeVisible();
  await page.getByRole('button', { name: 'Close all groups' }).press('Enter');
  await expect(page.locator('[data-group$="marts/passengers"]')).toBeVisible();
});

test('a selector is completed by keyboard', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('complete')}`);
  await graphIsDrawn(page);
  await page.getByLabel('--select').fill('+dim_li');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('--select')).toHaveValue('+dim_lines');
  await expect(page.getByText(/^7 of 42 nodes/)).toBeVisible();
});
