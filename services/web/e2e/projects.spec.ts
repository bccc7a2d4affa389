/** The list of projects, and the ways in: the sample, an archive, a folder, nothing at all. */
import { readFileSync } from 'node:fs';

import { zipSync } from 'fflate';
import { expect } from '@playwright/test';

import { SAMPLE, edit, finishedRun, graphIsDrawn, makeSample, node, strip, test } from './app';

const text = (content: string) => new Uint8Array(Buffer.from(content));
/** A project with a package that is missing, a file that is left out, and a ref to nothing. */
const SHOP = Buffer.from(
  zipSync({
    'shop/dbt_project.yml': text('name: shop\nversion: "1"\nprofile: shop\n'),
    'shop/packages.yml': text('packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n'),
    'shop/models/orders.sql': text("select 1 as id from {{ ref('nobody') }}\n"),
    'shop/target/manifest.json': text('{}'),
    'shop/.git/config': text('[core]\n'),
  }),
);

test('the list says how each project stands', async ({ open }) => {
  const project = await makeSample('standing');
  await edit(project, { type: 'set_sql', unique_id: 'model.night_trains.dim_lines', sql: "select 1 from {{ ref('nobody') }}" });
  await finishedRun(project, 'cabin_types');
  const page = await open('/');
  const row = page.getByRole('link', { name: /standing/ });
  await expect(row).toContainText('22 models');
  await expect(row).toContainText('succeeded');
  await expect(row).toContainText('1 problem');
  await row.press('Enter');
  await graphIsDrawn(page);
});

test('an archive is imported, with the report of what is missing and what was left out', async ({ open }) => {
  const page = await open('/');
  await page.getByLabel('Archive to import').setInputFiles({ name: 'shop.zip', mimeType: 'application/zip', buffer: SHOP });
  const report = page.getByRole('dialog', { name: 'shop is imported' });
  await expect(report.getByRole('heading', { name: '1 package missing' })).toBeVisible();
  await expect(report).toContainText('dbt_utils');
  await expect(report.getByRole('heading', { name: /problem/ })).toBeVisible();
  await expect(report.getByRole('heading', { name: /left out/ })).toBeVisible();
  await report.getByRole('link', { name: 'Open the graph' }).press('Enter');
  await expect(node(page, 'orders')).toBeVisible();
});

test('an archive is dropped on the page', async ({ open }) => {
  const page = await open('/');
  const data = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], 'shop.zip', { type: 'application/zip' }));
    return transfer;
  }, [...SHOP]);
  const zone = page.getByRole('region', { name: 'Import a dbt project' });
  await zone.dispatchEvent('dragover', { dataTransfer: data });
  await expect(zone).toContainText('Let go to import');
  await zone.dispatchEvent('drop', { dataTransfer: data });
  await expect(page.getByRole('dialog', { name: 'shop is imported' })).toBeVisible();
});

test('what cannot be imported is refused with its reason', async ({ open }) => {
  const page = await open('/');
  await page.getByLabel('Archive to import').setInputFiles({ name: 'notes.zip', mimeType: 'application/zip', buffer: Buffer.from(zipSync({ 'notes.txt': text('x') })) });
  await expect(page.getByRole('region', { name: 'Import a dbt project' }).getByRole('alert')).toContainText('dbt_project.yml');
});

test('an empty project gets its first file and its first model', async ({ open }) => {
  const page = await open('/');
  await page.getByRole('button', { name: 'Empty project' }).press('Enter');
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('from_nothing');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'No nodes yet' })).toBeVisible();
  await page.getByRole('button', { name: 'Add a node' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Add a node' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('first_model');
  await expect(dialog.getByRole('list', { name: 'What it writes' })).toContainText('first_model.sql');
  await page.keyboard.press('Enter');
  await expect(strip(page)).toContainText('first_model.sql +');
  await expect(node(page, 'first_model')).toBeVisible();
});

test('a folder is imported byte for byte', async ({ open }) => {
  const page = await open('/');
  await page.getByLabel('Folder to import').setInputFiles(SAMPLE);
  await page.getByRole('dialog', { name: /is imported/ }).getByRole('link', { name: 'Open the graph' }).click();
  await graphIsDrawn(page);
  const project = /projects\/([^/?]+)/.exec(page.url())?.[1] ?? '';
  const answer = await page.request.get(`/api/v1/projects/${project}/files/dbt_project.yml`);
  expect(((await answer.json()) as { text: string }).text).toBe(readFileSync(`${SAMPLE}/dbt_project.yml`, 'utf8'));
});
