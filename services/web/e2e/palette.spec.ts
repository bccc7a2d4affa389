/** The palette: every command of the API, and everything that has a name. */
import { type Page, expect } from '@playwright/test';

import { graphIsDrawn, makeSample, strip, test } from './app';

const BOOKINGS = 'node=model.night_trains.fct_bookings';

/** Gives a command by its name. */
async function give(page: Page, name: string | RegExp): Promise<void> {
  await page.locator('body').press('Control+k');
  const field = page.getByRole('combobox', { name: /^Search/ });
  await field.fill(typeof name === 'string' ? name : name.source);
  await expect(page.getByRole('option').first()).toContainText(name);
  await field.press('Enter');
}

test('the commands of a node are given by keyboard', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('commands')}?${BOOKINGS}`);
  await graphIsDrawn(page);
  await give(page, 'Rename fct_bookings');
  await expect(page.getByRole('textbox', { name: 'New name' })).toBeFocused();
  await page.keyboard.press('Escape');
  await give(page, 'Set a config of fct_bookings');
  await expect(page).toHaveURL(/tab=config/);
  await give(page, 'Add a test to fct_bookings');
  await expect(page).toHaveURL(/tab=columns/);
  await give(page, 'Move fct_bookings on the canvas');
  await expect(page.getByRole('application', { name: /Graph of/ })).toBeFocused();
  for (const [command, dialog] of [['Connect fct_bookings', 'Connect fct_bookings'], ['Remove fct_bookings', 'Remove fct_bookings?'], ['Show the plan of a run', 'Plan of a run in dev']] as const) {
    await give(page, command);
    await expect(page.getByRole('dialog', { name: dialog })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog', { name: dialog })).toBeHidden();
  }
  await page.goto(page.url().replace('fct_bookings', 'rpt_nights'));
  await graphIsDrawn(page);
  await page.locator('body').press('Control+k');
  await page.getByRole('combobox', { name: /^Search/ }).fill('Disconnect rpt_nights');
  await expect(page.getByRole('option', { name: /Disconnect rpt_nights from/ }).first()).toBeVisible();
});

test('a command and a node are named together', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('verb and name')}`);
  await graphIsDrawn(page);
  await give(page, 'Rename dim_lines');
  await expect(page).toHaveURL(/node=model.night_trains.dim_lines/);
  const field = page.getByRole('textbox', { name: 'New name' });
  await field.fill('dim_routes');
  await expect(page.getByRole('list', { name: 'What the rename writes' })).toBeVisible();
  await field.press('Enter');
  await expect(strip(page)).toContainText('renamed dim_lines to dim_routes');
});

test('the commands of the project are given by keyboard', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('commands of a project')}`);
  await graphIsDrawn(page);
  for (const [command, dialog] of [['Add a node', 'Add a node'], ['Declare a source', 'Declare a source'], ['Add a file', 'New file'], ['New environment', 'New environment'], ['Keyboard help', 'Keyboard']] as const) {
    await give(page, command);
    await expect(page.getByRole('dialog', { name: dialog })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog', { name: dialog })).toBeHidden();
  }
  for (const [command, heading] of [['Publish version', 'Publish'], ['Test the connection of dev', 'Environments'], ['Go to Runs', 'Runs'], ['New project', 'Projects']] as const) {
    await give(page, command);
    await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeVisible();
  }
});

test('a file is opened by keyboard, and moved and removed', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('files by keys')}`);
  await graphIsDrawn(page);
  await give(page, 'macros/cents_to_euros.sql');
  await give(page, 'Move macros/cents_to_euros.sql');
  const path = page.getByRole('dialog').getByRole('textbox', { name: 'Path' });
  await path.fill('macros/money/cents_to_euros.sql');
  await path.press('Enter');
  await expect(page).toHaveURL(/money/);
  await expect(strip(page)).toContainText('cents_to_euros.sql');
  await give(page, 'Remove macros/money/cents_to_euros.sql');
  await page.getByRole('dialog', { name: 'Remove the file?' }).getByRole('button', { name: 'Remove' }).press('Enter');
  await expect(page.getByRole('heading', { name: 'Files', level: 1 })).toBeVisible();
});

test('macros, files and the texts in them are found by mouse', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('find')}`);
  await graphIsDrawn(page);
  const search = async (text: string) => {
    await page.locator('body').press('/');
    await page.getByRole('combobox', { name: /^Search/ }).fill(text);
  };
  await search('cents_to_euros');
  await page.getByRole('option', { name: /^cents_to_euros macro/ }).click();
  await expect(page).toHaveURL(/path=macros(%2F|\/)cents_to_euros.sql/);
  await search('days_ahead');
  await page.getByRole('option', { name: /service_date - booked_at/ }).first().click();
  await expect(page).toHaveURL(/fct_bookings.sql&line=\d+/);
});
