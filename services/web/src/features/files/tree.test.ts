import { expect, test } from 'vitest';

import { entriesOf, foldersAbove } from './tree';

const files = ['models/marts/fct.sql', 'models/a.sql', 'dbt_project.yml', 'seeds/raw.csv'].map((path) => ({ path, mode: 'regular', sha256: '', size: 1 }));

test('lists folders before files, and what is inside of open ones', () => {
  const entries = entriesOf(files, (folder) => folder === 'models');
  expect(entries.map(({ path, depth }) => `${depth} ${path}`)).toEqual(['0 models', '1 models/marts', '1 models/a.sql', '0 seeds', '0 dbt_project.yml']);
});

test('knows the folders above a file', () => {
  expect(foldersAbove('models/marts/fct.sql')).toEqual(['models', 'models/marts']);
});
