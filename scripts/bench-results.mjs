// usage: node scripts/bench-results.mjs FIGURES.json
// Takes figures ([{name, value, unit}]) into target/bench/results.json, each with its baseline of scripts/bench-baseline.json
// and their ratio, and prints the table.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const here = dirname(new URL(import.meta.url).pathname);
const results = resolve(here, '../target/bench/results.json');
const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []);
const baselines = new Map(Object.entries(JSON.parse(readFileSync(resolve(here, 'bench-baseline.json'), 'utf8'))));

const taken = read(process.argv[2]).map(({ name, value, unit }) => {
  const baseline = baselines.get(name) ?? null;
  return { name, value, unit, baseline, ratio: baseline ? Number((value / baseline).toFixed(2)) : null };
});
const names = new Set(taken.map(({ name }) => name));
const all = [...read(results).filter(({ name }) => !names.has(name)), ...taken];
mkdirSync(dirname(results), { recursive: true });
writeFileSync(results, `${JSON.stringify(all, null, 2)}\n`);
for (const { name, value, unit, baseline, ratio } of all) {
  console.log(`${name.padEnd(24)} ${String(value).padStart(10)} ${unit.padEnd(6)} baseline ${String(baseline ?? '-').padStart(8)}  ${ratio ?? '-'}`);
}
