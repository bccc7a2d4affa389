/** How fast the canvas is with a thousand nodes, in a real browser on the real binary; scripts/bench prints what it writes. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

import { type Page, expect } from '@playwright/test';

import { test } from './app';
import { makeBig } from './big';

const ROOT = resolve(import.meta.dirname, '../../..');
const DIST = join(ROOT, 'services/web/dist');
/** How many models the project has. */
const MODELS = 1000;
/** How many times the page is opened; the median counts. */
const OPENED = 5;

interface Figure {
  name: string;
  value: number;
  unit: string;
}

/** Answers when all nodes stood on the canvas, in milliseconds from navigation. */
function placed(page: Page): Promise<number> {
  return page.evaluate(
    (wanted) =>
      new Promise<number>((done) => {
        const look = () => {
          if (Number(document.querySelector('[data-placed]')?.getAttribute('data-placed')) >= wanted) done(performance.now());
          else requestAnimationFrame(look);
        };
        look();
      }),
    MODELS,
  );
}

/** Turns the wheel so many times, as a hand does. */
async function wheel(page: Page, [dx, dy]: readonly [number, number], { times = 40, key = '' } = {}): Promise<void> {
  if (key) await page.keyboard.down(key);
  for (let at = 0; at < times; at += 1) await page.mouse.wheel(dx, dy);
  if (key) await page.keyboard.up(key);
}

/** Answers how long each frame took while something is done. */
async function frames(page: Page, work: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const kept = window as unknown as { frames: number[]; watching: boolean };
    kept.frames = [];
    kept.watching = true;
    let last = performance.now();
    const look = (now: number) => {
      kept.frames.push(now - last);
      last = now;
      if (kept.watching) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await work();
  return page.evaluate(() => {
    const kept = window as unknown as { frames: number[]; watching: boolean };
    kept.watching = false;
    // The first frames belong to what went before.
    return kept.frames.slice(2);
  });
}

async function zoomOf(page: Page): Promise<number> {
  return page.locator('.react-flow__viewport').evaluate((viewport) => new DOMMatrix(getComputedStyle(viewport).transform).a);
}

/** Zooms until names can be read, or until all is seen again. */
async function zoomTo(page: Page, wanted: number): Promise<void> {
  const before = await zoomOf(page);
  const isThere = (zoom: number) => (wanted > before ? zoom >= wanted : zoom <= wanted);
  while (!isThere(await zoomOf(page))) await wheel(page, [0, wanted > before ? -12 : 12], { times: 4, key: 'Control' });
}

/** How near the canvas is looked at: names and all that a node says are drawn. */
const NEAR = 0.8;

/** Pans and zooms by the wheel: over the whole, into it, in it, and out again. */
async function move(page: Page): Promise<Map<string, number[]>> {
  const far = await zoomOf(page);
  const pan = async () => {
    for (const by of [[40, 0], [0, 40], [-40, -20], [20, -20]] as const) await wheel(page, by);
  };
  const took = new Map<string, number[]>();
  for (const [name, work] of [
    ['pan far', pan],
    ['zoom in', () => zoomTo(page, NEAR)],
    ['pan near', pan],
    ['zoom out', () => zoomTo(page, far)],
  ] as const) {
    took.set(name, await frames(page, work));
  }
  return took;
}

/** Answers what the same browser needs for frames in which nothing is drawn: what the machine itself takes. */
async function emptyFrames(page: Page): Promise<number[]> {
  await page.route('/empty', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  await page.goto('/empty');
  return frames(page, async () => {
    for (const by of [[40, 0], [0, 40], [-40, -20]] as const) await wheel(page, by);
  });
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Adds up what a browser loads before it shows the first page: what index.html names, and the project's page with the graph. */
function firstView(loaded: readonly string[]): number {
  const names = new Set(loaded.map((address) => new URL(address).pathname).filter((path) => /\.(js|css)$/.test(path)));
  const sizes = readdirSync(join(DIST, 'assets')).filter((name) => names.has(`/assets/${name}`)).map((name) => gzipSync(readFileSync(join(DIST, 'assets', name))).length);
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

function write(figures: readonly Figure[]): void {
  const folder = join(ROOT, 'target/bench');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'canvas.json'), `${JSON.stringify(figures, null, 2)}\n`);
}

test('the canvas with a thousand nodes', async ({ open, baseURL }) => {
  test.setTimeout(600_000);
  const id = await makeBig(MODELS);
  const page = await open('/');
  const loaded: string[] = [];
  page.on('response', (response) => loaded.push(response.url()));
  await page.goto(`/projects/${id}`);
  await expect(page.locator('[data-group]').first()).toBeVisible();
  await page.evaluate(() => document.fonts.ready);
  const bundle = firstView([...loaded]);
  await page.getByRole('button', { name: 'Open all groups' }).click();
  await placed(page);
  const opened: number[] = [];
  for (let at = 0; at < OPENED; at += 1) {
    await page.goto(`/projects/${id}`);
    opened.push(await placed(page));
  }
  const box = await page.locator('.react-flow__pane').boundingBox();
  if (!box) throw new Error('there is no canvas');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const moved = await move(page);
  const took = [...moved.values()].flat();
  const empty = await emptyFrames(page);
  const graph = await fetch(`${baseURL ?? ''}/api/v1/projects/${id}/graph`, { headers: { 'accept-encoding': 'gzip' } });
  const wire = Number(graph.headers.get('content-length') ?? (await graph.arrayBuffer()).byteLength);
  write([
    { name: 'canvas_open_1000', value: Math.round(quantile(opened, 0.5)), unit: 'ms' },
    { name: 'canvas_frame_p95_1000', value: Number(quantile(took, 0.95).toFixed(1)), unit: 'ms' },
    { name: 'empty_frame_p95', value: Number(quantile(empty, 0.95).toFixed(1)), unit: 'ms' },
    { name: 'first_view_bundle', value: Number(bundle.toFixed(1)), unit: 'KB' },
    { name: 'graph_json_1000', value: wire, unit: 'bytes' },
  ]);
  console.log(`opened in ${opened.map(Math.round).join(', ')} ms`);
  for (const [name, some] of [...moved, ['empty page', empty] as const]) {
    console.log(`${name.padEnd(10)} ${some.length} frames, p50 ${quantile(some, 0.5).toFixed(1)}, p95 ${quantile(some, 0.95).toFixed(1)}, longest ${Math.max(...some).toFixed(1)} ms`);
  }
});
