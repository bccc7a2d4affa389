/** Editing: nothing that was typed is lost, and what is wrong stands at its line. */
import { expect } from '@playwright/test';

import { edit, goToNode, graphIsDrawn, makeSample, node, rename, strip, test, writeSql } from './app';

test('a draft survives a reload and is saved then', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('drafts')}?node=model.night_trains.dim_lines`);
  const panel = page.getByRole('complementary', { name: /dim_lines/ });
  await writeSql(panel, 'select 1 as line_code');
  await expect(panel.getByText('Draft, kept in this browser')).toBeVisible();
  await page.reload();
  await expect(panel.getByRole('textbox', { name: 'Text of dim_lines' })).toContainText('select 1 as line_code');
  await panel.getByRole('button', { name: /^Save/ }).click();
  await expect(strip(page)).toContainText('dim_lines.sql +');
  await expect(panel.getByText('Draft, kept in this browser')).toBeHidden();
});

test('a problem is counted and leads to its line', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('problems')}?node=model.night_trains.dim_lines`);
  const panel = page.getByRole('complementary', { name: /dim_lines/ });
  await writeSql(panel, "select 1\n\nfrom {{ ref('nobody') }}");
  await page.keyboard.press('Control+s');
  await expect(page.getByRole('button', { name: '1 problem' })).toBeVisible();
  await panel.getByRole('button', { name: 'Close the panel' }).click();
  await page.getByRole('button', { name: '1 problem' }).click();
  await page.getByRole('region', { name: 'Problems' }).getByRole('button', { name: /nobody/ }).click();
  await expect(page.locator('.cm-marked-bad')).toContainText("ref('nobody')");
});

test('what is typed while the network is off is saved when it is on again', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('offline')}?node=model.night_trains.dim_lines`);
  const panel = page.getByRole('complementary', { name: /dim_lines/ });
  await expect(panel.getByRole('textbox', { name: 'Text of dim_lines' })).toBeVisible();
  await page.context().setOffline(true);
  await writeSql(panel, 'select 2 as line_code');
  await page.keyboard.press('Control+s');
  await expect(page.getByText('UNREACHABLE').first()).toBeVisible();
  await expect(panel.getByText('Draft, kept in this browser')).toBeVisible();
  await page.context().setOffline(false);
  await panel.getByRole('button', { name: /^Save/ }).click();
  await expect(strip(page)).toContainText('dim_lines.sql +');
});

test('a second browser sees a rename as it happens, and stays with the node', async ({ open }) => {
  const project = await makeSample('two');
  const ada = await open(`/projects/${project}`);
  const bob = await open(`/projects/${project}?node=model.night_trains.rpt_nights`, 'Bob');
  await graphIsDrawn(ada);
  await expect(bob.getByRole('complementary', { name: /rpt_nights/ })).toBeVisible();
  await rename(await goToNode(ada, 'rpt_nights'), 'rpt_nights', 'rpt_season');
  await expect(bob.getByRole('complementary', { name: /rpt_season/ })).toBeVisible();
  await expect(node(bob, 'rpt_season')).toBeVisible();
});

test('two edits of the same line are a choice between theirs and mine', async ({ open }) => {
  const project = await makeSample('conflict');
  const at = `/projects/${project}?node=model.night_trains.dim_lines`;
  const [ada, bob] = [await open(at), await open(at, 'Bob')];
  const panelOf = (page: typeof ada) => page.getByRole('complementary', { name: /dim_lines/ });
  await writeSql(panelOf(ada), 'select 1 as hers');
  await writeSql(panelOf(bob), 'select 2 as his');
  await panelOf(ada).getByRole('button', { name: /^Save/ }).click();
  await expect(strip(ada)).toContainText('dim_lines.sql');
  await panelOf(bob).getByRole('button', { name: /^Save/ }).click();
  const choice = bob.getByRole('dialog', { name: 'Two edits of the same lines' });
  await expect(choice).toContainText('Ada');
  await expect(choice.getByRole('textbox', { name: 'Theirs' })).toContainText('select 1 as hers');
  await choice.getByRole('button', { name: 'Save mine' }).click();
  await expect(panelOf(ada).getByRole('textbox', { name: 'Text of dim_lines' })).toContainText('select 2 as his');
});

test('of two edits of the same line theirs is taken, or both are merged', async ({ open }) => {
  const project = await makeSample('merge');
  const at = `/projects/${project}?node=model.night_trains.dim_lines`;
  const page = await open(at);
  const panel = page.getByRole('complementary', { name: /dim_lines/ });
  const clash = async (hers: string, his: string) => {
    await expect(panel.getByRole('textbox', { name: 'Text of dim_lines' })).toBeVisible();
    await writeSql(panel, hers);
    await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.dim_lines', sql: his });
    await page.keyboard.press('Control+s');
    const choice = page.getByRole('dialog', { name: 'Two edits of the same lines' });
    await expect(choice.getByRole('textbox', { name: 'Theirs' })).toContainText(his);
    return choice;
  };
  const first = await clash('select 1 as hers', 'select 2 as his');
  await first.getByRole('button', { name: 'Take theirs' }).press('Enter');
  await expect(panel.getByRole('textbox', { name: 'Text of dim_lines' })).toHaveText('select 2 as his');
  const second = await clash('select 3 as hers', 'select 4 as his');
  const mine = second.getByRole('textbox', { name: 'Mine, to be saved' });
  await mine.click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('select 4 as his, 3 as hers');
  await second.getByRole('button', { name: 'Save the merge' }).click();
  await expect(second).toBeHidden();
  await expect(panel.getByRole('textbox', { name: 'Text of dim_lines' })).toHaveText('select 4 as his, 3 as hers');
  await expect(panel.getByText('Draft, kept in this browser')).toBeHidden();
});

test('the first rows of a node are one keystroke away once it has run', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('rows')}?node=seed.night_trains.cabin_types`);
  await page.getByRole('button', { name: 'More for this node' }).click();
  await page.getByRole('menuitem', { name: 'Run this node' }).click();
  await expect(node(page, 'cabin_types').getByLabel('succeeded')).toBeVisible({ timeout: 60_000 });
  await page.getByRole('tab', { name: 'Preview' }).click();
  await page.getByRole('button', { name: /^Show rows/ }).click();
  await expect(page.getByRole('region', { name: 'Rows' }).getByRole('row').nth(2)).toBeVisible();
});
