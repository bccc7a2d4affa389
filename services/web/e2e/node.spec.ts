/** The panel of a node: its text, what it compiles to, configs, columns and tests. */
import { type Locator, type Page, expect } from '@playwright/test';

import { edit, goToNode, graphIsDrawn, makeSample, node, strip, test, writeSql } from './app';

const BOOKINGS = 'node=model.night_trains.fct_bookings';

async function runNode(page: Page, select: string): Promise<void> {
  await page.getByLabel('--select').fill(select);
  await expect(page).toHaveURL(/select=/);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(strip(page)).toContainText('Run 1');
}

async function textOf(panel: Locator, name: string): Promise<Locator> {
  const editor = panel.getByRole('textbox', { name: `Text of ${name}` });
  await expect(editor).toBeVisible();
  return editor;
}

test('a config shows where it was set, and where a change will be written', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('config')}?${BOOKINGS}&tab=config`);
  const set = page.getByRole('list', { name: 'Configs that are set' });
  const row = set.getByRole('listitem').filter({ hasText: 'materialized' });
  await expect(row.getByRole('link', { name: /dbt_project.yml:\d+/ })).toBeVisible();
  await row.getByRole('button', { name: /^materialized: table/ }).press('Enter');
  await page.getByLabel('Value of materialized').selectOption('view');
  await expect(page.getByRole('list', { name: 'What it writes' })).toContainText('fct_bookings.sql');
  await page.getByRole('radio', { name: /All \d+ nodes/ }).check();
  await expect(page.getByRole('list', { name: 'What it writes' })).toContainText('dbt_project.yml');
  await page.getByRole('radio', { name: 'Only this node' }).check();
  await expect(page.getByRole('list', { name: 'What it writes' })).toContainText("materialized='view'");
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await expect(strip(page)).toContainText('fct_bookings.sql +');
  await expect(row.getByRole('link', { name: /fct_bookings.sql:\d+/ })).toBeVisible();
});

test('a line of the source is marked in what it compiles to, and back', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('compiled')}?${BOOKINGS}&tab=compiled`);
  await page.getByRole('button', { name: 'Widen the panel' }).click();
  const [source, compiled] = [page.getByRole('region', { name: 'Source' }), page.getByRole('region', { name: 'Compiled' })];
  await source.getByText("ref(").first().click();
  await expect(compiled.locator('.cm-linked')).toContainText('int_bookings_travelled');
  await compiled.locator('.cm-line', { hasText: 'days_ahead' }).first().click();
  await expect(source.locator('.cm-linked')).toContainText('days_ahead');
  await source.getByRole('textbox', { name: 'Source of fct_bookings' }).focus();
  await page.keyboard.press('Control+Home');
  for (let line = 1; !(await compiled.locator('.cm-linked').getByText('int_bookings_travelled').isVisible()); line += 1) {
    expect(line, 'no line of the source is marked').toBeLessThan(40);
    await page.keyboard.press('ArrowDown');
  }
});

test('nulls are marked in the rows, and the types of the columns named', async ({ open }) => {
  const project = await makeSample('nulls');
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.dim_lines', sql: "select null::int as nothing, 'null'::text as word, ''::text as empty" });
  const page = await open(`/projects/${project}?node=model.night_trains.dim_lines&tab=preview`);
  await page.getByRole('button', { name: /^Show rows/ }).click();
  const rows = page.getByRole('region', { name: 'Rows' });
  await expect(rows.getByRole('columnheader')).toHaveText([/nothing int/, /word text/, /empty text/]);
  const cell = (at: number) => rows.getByRole('cell').nth(at);
  await expect(cell(0)).toHaveText('null');
  await expect(cell(0)).toHaveAttribute('data-null', 'true');
  await expect(cell(1)).toHaveText('null');
  await expect(cell(1)).not.toHaveAttribute('data-null');
  await expect(cell(2)).toHaveText('');
});

test('what changed since it was published stands in the text', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('changes')}/publish`);
  await page.getByRole('button', { name: /^Publish version/ }).click();
  await expect(page.getByRole('list', { name: 'Publications' }).getByText(/^\W*published$/)).toBeVisible({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Graph' }).click();
  const panel = await goToNode(page, 'dim_lines');
  await writeSql(panel, 'select 1 as line_code');
  await panel.getByRole('button', { name: 'Changes' }).click();
  await expect(panel.locator('.cm-changedLine')).toContainText('select 1 as line_code');
  await expect(panel.locator('.cm-deletedChunk').first()).toBeVisible();
});

test('refs, macros and columns are completed, and lead to their definition', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('editor')}?${BOOKINGS}`);
  const panel = page.getByRole('complementary', { name: /fct_bookings/ });
  const editor = await textOf(panel, 'fct_bookings');
  await writeSql(panel, '');
  await editor.pressSequentially("select * from {{ ref('dim_li");
  await page.getByRole('option', { name: /dim_lines/ }).click();
  await expect(editor).toContainText("ref('dim_lines");
  await writeSql(panel, "select  from {{ ref('stg_rail__lines') }}");
  await page.keyboard.press('Home');
  for (let at = 0; at < 'select '.length; at += 1) await page.keyboard.press('ArrowRight');
  await page.keyboard.type('line_c');
  await expect(page.getByRole('option', { name: /line_code/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await editor.getByText('stg_rail__lines').click({ modifiers: ['Control'] });
  await expect(page).toHaveURL(/node=model.night_trains.stg_rail__lines/);
});

test('the rows of one CTE are shown; Ctrl Shift Enter runs the node', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('cte')}?node=model.night_trains.stg_rail__lines`);
  await graphIsDrawn(page);
  await runNode(page, '+stg_rail__lines');
  await expect(node(page, 'stg_rail__lines').getByLabel('succeeded')).toBeVisible({ timeout: 60_000 });
  const panel = page.getByRole('complementary', { name: /stg_rail__lines/ });
  await panel.getByTitle(/^Preview the rows of/).first().click();
  await expect(panel.getByText(/^Preview of \w+ · \d+ rows/)).toBeVisible();
  await (await textOf(panel, 'stg_rail__lines')).click();
  await page.keyboard.press('Control+Shift+Enter');
  await expect(strip(page)).toContainText('Run 2');
});

test('columns of the target are declared, and tested from a list', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('columns')}?node=seed.night_trains.cabin_types`);
  await graphIsDrawn(page);
  await runNode(page, 'cabin_types');
  await expect(node(page, 'cabin_types').getByLabel('succeeded')).toBeVisible({ timeout: 60_000 });
  await page.getByRole('tab', { name: /^Columns/ }).click();
  await page.getByRole('button', { name: 'Ask the target' }).click();
  await page.getByRole('button', { name: /^Fill \d+ columns?/ }).click();
  await expect(strip(page)).toContainText(/declared \d+ columns of cabin_types/);
  await expect(page.getByText('not declared')).toHaveCount(0);
  await strip(page).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('region', { name: 'Event', exact: true })).toContainText('data_type:');
  await page.goBack();
  await page.getByRole('button', { name: 'Add a test to berths' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Test berths' });
  await dialog.getByLabel('Test', { exact: true }).selectOption('accepted_values');
  await dialog.getByRole('textbox', { name: 'values' }).fill('1, 2');
  await expect(dialog.getByRole('list', { name: 'What it writes' })).toContainText('accepted_values');
  await dialog.getByRole('button', { name: 'Add the test' }).click();
  await page.getByRole('button', { name: 'accepted_values', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: /^Show rows/ }).click();
  await expect(page.getByRole('dialog').getByText(/^Failing rows · /)).toContainText('row');
});

test('a node and its columns are described, and its history says who did', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('describe')}?${BOOKINGS}&tab=columns`);
  const panel = page.getByRole('complementary', { name: /fct_bookings/ });
  await panel.getByRole('button', { name: /^Description of fct_bookings:/ }).press('Enter');
  await panel.getByRole('textbox', { name: 'Description of fct_bookings' }).fill('One row a booking.');
  await page.keyboard.press('Control+Enter');
  await expect(strip(page)).toContainText('described fct_bookings');
  await panel.getByRole('button', { name: /^Description of booking_id:/ }).click();
  await panel.getByRole('textbox', { name: 'Description of booking_id' }).fill('The key.');
  await panel.getByRole('list', { name: 'Columns' }).getByRole('button', { name: 'Save' }).click();
  await expect(strip(page)).toContainText('described fct_bookings.booking_id');
  await expect(panel.getByRole('list', { name: 'Used by' })).toContainText('fct_breakfasts');
  await page.getByRole('tab', { name: 'History' }).click();
  await panel.getByRole('button', { name: /described fct_bookings.booking_id.*Ada/ }).press('Enter');
  await expect(panel).toContainText('The key.');
});

test('F2 renames a node, with what that writes', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('rename')}?${BOOKINGS}`);
  await expect(page.getByRole('complementary', { name: /fct_bookings/ })).toBeVisible();
  await page.getByRole('tab', { name: 'Config' }).click();
  await page.keyboard.press('F2');
  await page.getByRole('textbox', { name: 'New name' }).fill('fct_tickets');
  await expect(page.getByRole('list', { name: 'What the rename writes' })).toContainText('fct_breakfasts.sql');
  await page.keyboard.press('Enter');
  await expect(strip(page)).toContainText('renamed fct_bookings to fct_tickets');
});
