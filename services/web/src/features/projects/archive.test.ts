import { expect, test } from 'vitest';

import { archiveType, isRead, ofChosen } from './archive';

function chosen(...files: [path: string, text: string][]): FileList {
  const list = files.map(([path, text]) => {
    const file = new File([text], path.slice(path.lastIndexOf('/') + 1));
    Object.defineProperty(file, 'webkitRelativePath', { value: path.includes('/') ? path : '' });
    return file;
  });
  return list as unknown as FileList;
}

test('knows an archive by its name', () => {
  expect(archiveType('shop.ZIP')).toBe('application/zip');
  expect(archiveType('shop.tar.gz')).toBe('application/gzip');
  expect(archiveType('dbt_project.yml')).toBeUndefined();
});

test('does not read what no dbt project is made of', () => {
  expect(isRead('shop/.git/config')).toBe(false);
  expect(isRead('shop/models/.gitignore')).toBe(true);
});

test('sends an archive as it is', async () => {
  const archive = await ofChosen(chosen(['shop.zip', 'PK']));
  expect(archive).toMatchObject({ type: 'application/zip', source: 'shop.zip' });
  expect(new TextDecoder().decode(archive.bytes)).toBe('PK');
});

test('zips a folder and names its top', async () => {
  const archive = await ofChosen(chosen(['shop/dbt_project.yml', 'name: shop'], ['shop/.git/HEAD', 'ref']));
  expect(archive).toMatchObject({ type: 'application/zip', source: 'shop' });
  const { unzipSync } = await import('fflate');
  expect(Object.keys(unzipSync(archive.bytes))).toEqual(['shop/dbt_project.yml']);
});

test('names what was probably executable: a browser does not tell', async () => {
  const archive = await ofChosen(chosen(['shop/dbt_project.yml', 'name: shop'], ['shop/run.sh', '#!/bin/sh']));
  expect(archive.programs).toEqual(['shop/run.sh']);
});
