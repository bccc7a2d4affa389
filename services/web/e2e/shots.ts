/** How pictures of the page are taken: each in both themes and both widths, once nothing moves any more. */
import { join, resolve } from 'node:path';

import { type Page, type Route, expect } from '@playwright/test';

const FOLDER = resolve(import.meta.dirname, '../../../target/screenshots');
const DOCS = resolve(import.meta.dirname, '../../../docs/pictures');
const WIDTHS = [1280, 1920];
/** What README.md shows. */
const OF_README = new Set(['graph-light-1280', 'run-failed-light-1280', 'node-dark-1280']);

async function settled(page: Page): Promise<void> {
  await expect(page.locator('main').first()).toBeVisible();
  await expect(page.locator('[role="status"][aria-label^="Loading"]')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
}

/** Shows the whole graph again, where a graph is shown: another width has another view of it. */
async function fit(page: Page): Promise<void> {
  const tool = page.getByRole('button', { name: 'Zoom to fit' });
  if ((await tool.count()) > 0) await tool.click();
  await page.mouse.move(0, 0);
}

interface How {
  /** False while something is loaded that never comes. */
  settle?: boolean;
  /** Whether the graph is fitted into each width. */
  whole?: boolean;
}

/** Takes a state of the page in both themes and widths. */
export async function take(page: Page, name: string, { settle = true, whole = false }: How = {}): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: Math.round(width * 0.6) });
      if (settle) await settled(page);
      if (whole) await fit(page);
      const file = `${name}-${theme}-${width}`;
      const picture = { animations: 'disabled' as const };
      await page.screenshot({ ...picture, path: join(FOLDER, `${file}.png`) });
      if (OF_README.has(file)) await page.screenshot({ ...picture, path: join(DOCS, `${name.replace('-failed', '')}.png`) });
    }
  }
}

/** Says what the API answers instead of itself. */
const STATES = {
  loading: () => undefined,
  error: (route: Route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      json: { type: 'about:blank', title: 'Internal error', status: 500, code: 'INTERNAL', detail: 'this is a fault of DVT+; its log says more under the trace id', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', docs: '' },
    }),
  offline: (route: Route) => route.abort(),
} satisfies Record<string, (route: Route) => unknown>;

/** Takes a page while it is loaded, when it fails, and without a server. */
export async function takeStates(page: Page, name: string, at: string, isAsked: RegExp): Promise<void> {
  for (const [state, answer] of Object.entries(STATES)) {
    await page.route(isAsked, answer);
    await page.goto(at);
    await expect(state === 'loading' ? page.locator('[role="status"][aria-label^="Loading"]').first() : page.getByRole('alert').first()).toBeVisible();
    await take(page, `${name}-${state}`, { settle: state !== 'loading' });
    await page.unroute(isAsked);
  }
}
