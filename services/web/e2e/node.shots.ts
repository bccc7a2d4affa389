/** Takes pictures of the canvas: a node's panel, the dialogs, two people at one place. */
import { type Page, expect } from '@playwright/test';

import { edit, goToNode, graphIsDrawn, makeSample, strip, test, writeSql } from './app';
import { take } from './shots';

test.setTimeout(1_500_000);

async function runAll(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await strip(page).filter({ hasText: /Run \d+/ }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: /^Run \d+ .*succeeded/ })).toBeVisible({ timeout: 120_000 });
}

test('a node', async ({ open }) => {
  const project = await makeSample('night_trains');
  await edit(project, { type: 'describe_node', unique_id: 'model.night_trains.fct_bookings', text: 'One row for each booking, cancelled or not.' });
  const at = `/projects/${project}`;
  const page = await open(at);
  await graphIsDrawn(page);
  await runAll(page);
  await page.goto(`${at}?node=model.night_trains.fct_bookings`);
  await graphIsDrawn(page);
  await take(page, 'node');
  for (const [tab, name] of [['Compiled', 'node-compiled'], ['Columns', 'node-columns'], ['Config', 'node-config'], ['History', 'node-history']] as const) {
    await page.getByRole('tab', { name: new RegExp(`^${tab}`) }).click();
    await take(page, name);
  }
  await page.getByRole('complementary', { name: /fct_bookings/ }).getByRole('button', { name: /described/ }).click();
  await take(page, 'node-history-event');
  await page.getByRole('tab', { name: 'Config' }).click();
  await page.getByRole('button', { name: /^materialized: table/ }).click();
  await page.getByLabel('Value of materialized').selectOption('view');
  await expect(page.getByRole('list', { name: 'What it writes' })).toBeVisible();
  await take(page, 'node-config-edit');
  await page.getByRole('tab', { name: /^Columns/ }).click();
  await page.getByRole('button', { name: 'unique', exact: true }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: /^Show rows/ }).click();
  await expect(page.getByRole('dialog').getByRole('region', { name: 'Failing rows' })).toContainText('Failing rows ·');
  await take(page, 'node-test');
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'Preview' }).click();
  await page.getByRole('button', { name: /^Show rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' })).toBeVisible();
  await take(page, 'node-rows');
  await page.getByRole('tab', { name: 'SQL' }).click();
  const panel = page.getByRole('complementary', { name: /fct_bookings/ });
  await writeSql(panel, "select *\n\nfrom {{ ref('stg_booking__bookings') }}");
  await take(page, 'node-draft');
  await page.getByRole('button', { name: 'Rename fct_bookings' }).click();
  await page.getByRole('textbox', { name: 'New name' }).fill('fct_tickets');
  await expect(page.getByRole('list', { name: 'What the rename writes' })).toBeVisible();
  await take(page, 'rename');
});

test('the canvas', async ({ open }) => {
  const at = `/projects/${await makeSample('night_trains')}`;
  const page = await open(`${at}?select=%2Bdim_lines`);
  await graphIsDrawn(page);
  await take(page, 'graph-select', { whole: true });
  await page.getByRole('button', { name: 'Close all groups' }).click();
  await take(page, 'graph-folded', { whole: true });
  await page.getByRole('button', { name: 'Open all groups' }).click();
  const canvas = page.getByRole('application', { name: /Graph of/ });
  await page.goto(`${at}?node=model.night_trains.stg_rail__lines`);
  await graphIsDrawn(page);
  await canvas.focus();
  await page.keyboard.press('f');
  await expect(page.getByText('2 steps each way')).toBeVisible();
  await take(page, 'graph-focus', { whole: true });
  await page.keyboard.press('Escape');
  await canvas.focus();
  await page.keyboard.press('f');
  for (const [key, name] of [['a', 'add-node'], ['c', 'connect'], ['Delete', 'remove'], ['?', 'help']] as const) {
    await canvas.focus();
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog')).toBeVisible();
    await take(page, name);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  }
  for (const [command, name] of [['Declare a source', 'declare-source'], ['Add a file', 'new-file']] as const) {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /^Search/ }).fill(command);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toBeVisible();
    await take(page, name);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  }
  await page.goto(`${at}?node=model.night_trains.stg_rail__lines`);
  await graphIsDrawn(page);
  await canvas.focus();
  await page.keyboard.press('Shift+ArrowRight');
  await expect(page.getByRole('toolbar')).toBeVisible();
  await take(page, 'picked');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: /^Search/ }).fill('fct');
  await take(page, 'palette');
  await page.getByRole('combobox', { name: /^Search/ }).fill('days_ahead');
  await expect(page.getByRole('option', { name: /service_date - booked_at/ }).first()).toBeVisible();
  await take(page, 'search');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'What to run' }).click();
  await take(page, 'run-menu');
  await page.getByRole('menuitem', { name: 'Show the plan first…' }).click();
  await expect(page.getByRole('list', { name: 'Steps of the plan' })).toBeVisible();
  await take(page, 'plan');
});

test('two people', async ({ open }) => {
  const at = `/projects/${await makeSample('night_trains')}?node=model.night_trains.dim_lines`;
  const [ada, bob] = [await open(at), await open(at, 'Bob')];
  await graphIsDrawn(ada);
  await writeSql(await goToNode(ada, 'dim_lines'), 'select 1 as hers');
  await writeSql(await goToNode(bob, 'dim_lines'), 'select 2 as his');
  await ada.keyboard.press('Control+s');
  await expect(strip(ada)).toContainText('dim_lines.sql');
  await expect(ada.getByRole('button', { name: /^Bob is here/ })).toBeVisible();
  await take(ada, 'presence');
  await bob.keyboard.press('Control+s');
  await expect(bob.getByRole('dialog', { name: 'Two edits of the same lines' })).toBeVisible();
  await take(bob, 'conflict');
  await bob.keyboard.press('Escape');
  await expect(bob.getByRole('textbox', { name: 'Text of dim_lines' })).toBeFocused();
  await bob.context().setOffline(true);
  await bob.keyboard.press('Control+s');
  await expect(bob.getByText('UNREACHABLE').first()).toBeVisible();
  await take(bob, 'offline-edit');
});
