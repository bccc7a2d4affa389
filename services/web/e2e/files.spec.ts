/** The file tree, and the editor of every other file. */
import { expect } from '@playwright/test';

import { makeSample, strip, test } from './app';

test('a file is added, edited, moved and removed by mouse', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('files')}/files`);
  await page.getByRole('button', { name: 'New file' }).click();
  const dialog = page.getByRole('dialog', { name: 'New file' });
  await dialog.getByRole('textbox', { name: 'Path' }).fill('docs/notes.md');
  await dialog.getByRole('button', { name: 'Add' }).click();
  const text = page.getByRole('textbox', { name: 'Text of docs/notes.md' });
  await text.click();
  await page.keyboard.insertText('Trains leave at night.');
  await expect(page.getByText('● draft')).toBeVisible();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(strip(page)).toContainText('notes.md +1');
  await expect(page.getByText('● draft')).toBeHidden();
  await page.getByRole('button', { name: 'More for this file' }).click();
  await page.getByRole('menuitem', { name: 'Move or rename…' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Path' }).fill('docs/night.md');
  await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
  await expect(page.getByRole('textbox', { name: 'Text of docs/night.md' })).toContainText('Trains leave at night.');
  await page.getByRole('button', { name: 'More for this file' }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('list', { name: 'Files' })).not.toContainText('night.md');
});

test('a file is found and saved by keyboard, and its draft survives a reload', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('file by keys')}/files`);
  await page.getByRole('searchbox', { name: 'Filter files' }).fill('dbt_proj');
  await page.getByRole('list', { name: 'Files' }).getByRole('button', { name: 'dbt_project.yml', exact: true }).press('Enter');
  const text = page.getByRole('textbox', { name: 'Text of dbt_project.yml' });
  await text.focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText('# By night.\n');
  await page.reload();
  await expect(text).toContainText('# By night.');
  await text.focus();
  await page.keyboard.press('Control+s');
  await expect(strip(page)).toContainText('dbt_project.yml +1');
});

test('what is typed while a save is under way stays a draft', async ({ open }) => {
  const page = await open(`/projects/${await makeSample('typing on')}/files?path=dbt_project.yml`);
  const text = page.getByRole('textbox', { name: 'Text of dbt_project.yml' });
  await text.focus();
  let go = () => {};
  const held = new Promise<void>((resume) => (go = resume));
  await page.route('**/commands', async (route) => {
    await held;
    await route.continue();
  });
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText('# One.\n');
  await page.keyboard.press('Control+s');
  await page.keyboard.insertText('# Two.\n');
  go();
  await expect(strip(page)).toContainText('dbt_project.yml +1');
  await expect(text).toContainText('# Two.');
  await page.reload();
  await expect(text).toContainText('# Two.');
});
