/** What a new user does first, by visible labels only: from the empty page to a published change and a green run. */
import { type Locator, expect } from '@playwright/test';

import { test } from './app';

test('from ready to a published change and a green run', async ({ open }) => {
  const page = await open('/', 'Newcomer');
  const began = Date.now();
  let actions = 0;
  const press = async (what: Locator) => {
    actions += 1;
    await what.click();
  };
  await press(page.getByRole('button', { name: 'Open the sample' }));
  await press(page.getByRole('dialog').getByRole('link', { name: 'Open the graph' }));
  await press(page.getByText('dim_lines', { exact: true }));
  await press(page.getByRole('button', { name: 'Rename dim_lines' }));
  actions += 1;
  await page.getByRole('textbox', { name: 'New name' }).fill('dim_routes');
  await expect(page.getByText(/edits in \d+ files/)).toBeVisible();
  await press(page.getByRole('button', { name: 'Rename', exact: true }));
  await press(page.getByRole('button', { name: 'Run', exact: true }));
  await press(page.getByText(/^Run 1 /).locator('..').getByRole('link', { name: 'View' }));
  await expect(page.getByRole('heading', { name: /^Run 1 .*succeeded/ })).toBeVisible({ timeout: 120_000 });
  await press(page.getByRole('banner').getByRole('link', { name: 'Publish', exact: true }));
  await press(page.getByRole('button', { name: /^Publish version/ }));
  await expect(page.getByRole('list', { name: 'Publications' }).getByText(/^\W*published$/)).toBeVisible({ timeout: 60_000 });
  console.log(`from ready to a published change and a green run: ${((Date.now() - began) / 1000).toFixed(1)} s, ${actions} actions`);
});
