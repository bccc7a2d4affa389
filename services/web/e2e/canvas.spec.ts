/** The canvas: each gesture by keyboard and by mouse, and what it wrote. */
import { type Page, expect } from '@playwright/test';

import { edit, finishedRun, goToNode, graphIsDrawn, makeSample, node, placeOf, strip, test, writeSql } from './app';
import { makeBig } from './big';

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

test('a selector and the list of problems leave the canvas as it was', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('still')}`);
  await graphIsDrawn(page);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await node(page, 'fct_bookings').click({ modifiers: ['Control'] });
  await node(page, 'dim_passengers').click({ modifiers: ['Control'] });
  const bar = page.getByRole('toolbar', { name: '2 nodes picked' });
  const before = await page.locator('.react-flow__viewport').getAttribute('style');
  await page.getByLabel('--select').fill('+dim_lines');
  await expect(page).toHaveURL(/select=/);
  await page.getByRole('button', { name: /problems/ }).click();
  await expect(page).toHaveURL(/problems=true/);
  await expect(bar).toBeVisible();
  expect(await page.locator('.react-flow__viewport').getAttribute('style')).toBe(before);
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
  const { x, y } = await placeOf(frame);
  await page.reload();
  await graphIsDrawn(page);
  await expect(frame).toHaveAttribute('style', new RegExp(`translate\\(${x}px, ${y}px\\)`));
});

test('a source opens by a click, and closes by its frame', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('groups')}`);
  await graphIsDrawn(page);
  await page.locator('[data-group]', { hasText: 'rail' }).click();
  await expect(node(page, 'stations')).toBeVisible();
  await page.getByRole('button', { name: /^rail · 4 tables/ }).click();
  await expect(node(page, 'stations')).toHaveCount(0);
  await page.getByRole('button', { name: 'Close all groups' }).press('Enter');
  await expect(page.locator('[data-group$="marts/passengers"]')).toBeVisible();
});

test('a large project opens on its folders, which open in their place by mouse and by keyboard', async ({ open }) => {
  const page = await open(`/projects/${await makeBig(180)}`);
  const groups = page.locator('[data-group]');
  await expect(groups).toHaveCount(30);
  await expect(page.locator('[data-node]')).toHaveCount(0);
  const group = page.locator('[data-group$="intermediate/area_3"]');
  const before = await group.boundingBox();
  await group.click();
  const frame = page.getByTestId('rf__node-frame:folder:big/models/intermediate/area_3');
  await expect(node(page, 'int_003')).toBeVisible();
  const after = await frame.boundingBox();
  // Places are whole pixels of the canvas, which is zoomed.
  expect(Math.abs((after?.x ?? 0) - (before?.x ?? 0))).toBeLessThan(2);
  expect(Math.abs((after?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);
  await frame.getByRole('button').click();
  await expect(groups).toHaveCount(30);
  await canvas(page).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId(/^rf__node-frame:folder:/)).toBeVisible();
  await expect(page.locator('[data-node]').first()).toBeVisible();
});

test('a selector is completed by keyboard', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('complete')}`);
  await graphIsDrawn(page);
  await page.getByLabel('--select').fill('+dim_li');
  await expect(page.getByRole('listbox', { name: 'Ways to go on' })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('--select')).toHaveValue('+dim_lines');
  await expect(page.getByText(/^7 of 42 nodes/)).toBeVisible();
});

test('an edit moves nothing but what is beside it', async ({ open }) => {
  const project = await makeSample('stable');
  const page = await open(`/projects/${project}`);
  await graphIsDrawn(page);
  const frames = page.locator('.react-flow__node-dbt');
  const places = async () => {
    const found = new Map<string, { x: number; y: number }>();
    for (const frame of await frames.all()) found.set((await frame.getAttribute('data-id')) ?? '', await placeOf(frame));
    return found;
  };
  const before = await places();
  await edit(project, { type: 'add_node', name: 'rpt_late', layer: 'marts', from: ['model.night_trains.fct_departures'] });
  await expect(node(page, 'rpt_late')).toBeVisible();
  const after = await places();
  const moved = [...before].filter(([id, place]) => after.has(id) && JSON.stringify(after.get(id)) !== JSON.stringify(place)).map(([id]) => id);
  expect(moved.length, moved.join(', ')).toBeLessThanOrEqual(3);
  expect(moved.filter((id) => /stg_|seed|source/.test(id))).toEqual([]);
});

test('tests are badges of their model, and what is left unsaved is marked', async ({ open }) => {
  const project = await makeSample('badges');
  await finishedRun(project, 'cabin_types');
  const page = await open(`/projects/${project}`);
  await graphIsDrawn(page);
  await expect(node(page, 'cabin_types')).toContainText(/\d+ ✓/);
  await expect(page.locator('[data-node^="test."]')).toHaveCount(0);
  await writeSql(await goToNode(page, 'dim_lines'), 'select 1 as line_code');
  await page.getByRole('button', { name: 'Close the panel' }).click();
  await expect(node(page, 'dim_lines').getByLabel('has a draft')).toBeVisible();
  await page.reload();
  await expect(node(page, 'dim_lines').getByLabel('has a draft')).toBeVisible();
});

test('a source is declared by mouse, and read then', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('declare')}`);
  await graphIsDrawn(page);
  await page.getByRole('button', { name: /^Add node/ }).click();
  await page.getByRole('dialog', { name: 'Add a node' }).getByRole('button', { name: 'Declare a source instead' }).click();
  const dialog = page.getByRole('dialog', { name: 'Declare a source' });
  await dialog.getByRole('textbox', { name: 'Source' }).fill('weather');
  await dialog.getByRole('textbox', { name: 'Tables' }).fill('storms, fogs');
  await expect(dialog.getByRole('list', { name: 'What it writes' })).toContainText('name: storms');
  await dialog.getByRole('button', { name: 'Declare', exact: true }).click();
  await expect(strip(page)).toContainText('declared 2 tables of the source weather');
  await expect(page).toHaveURL(/node=source.night_trains.weather.storms/);
});

test('the canvas is zoomed and fitted by its buttons, and moved by its map', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('zoom')}`);
  await graphIsDrawn(page);
  const viewport = page.locator('.react-flow__viewport');
  const at = () => viewport.getAttribute('style');
  const first = await at();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await expect.poll(at).not.toBe(first);
  await page.getByRole('button', { name: 'Zoom to fit' }).click();
  await expect(node(page, 'cabin_types')).toBeInViewport();
  await expect(node(page, 'rpt_nights')).toBeInViewport();
  await expect(page.locator('.react-flow__minimap')).toBeVisible();
});
