/** A graph so large that few of its nodes are React Flow's: gestures find the others too. */
import { type Locator, type Page, expect } from '@playwright/test';

import { node, strip, test } from './app';
import { makeBig } from './big';

/** From how many nodes on a graph is drawn as a large one, and some more. */
const MODELS = 330;
const FOLDER = 'rf__node-frame:folder:big/models/intermediate/area_3';

/** Opens all groups and comes near to the middle of one, whose eleven nodes stand below each other. */
async function lookAt(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open all groups' }).click();
  await expect(page.locator('[data-placed="330"]')).toBeAttached();
  const frame = page.getByTestId(FOLDER);
  const box = await boxOf(frame);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.keyboard.down('Control');
  await expect(async () => {
    await page.mouse.wheel(0, -60);
    expect((await boxOf(frame)).width).toBeGreaterThan(200);
  }).toPass();
  await page.keyboard.up('Control');
  await expect(node(page, 'int_053')).toBeInViewport();
}

async function boxOf(of: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await of.boundingBox();
  if (!box) throw new Error('it is not drawn');
  return box;
}

test('nodes of a large graph are picked by a rectangle, dragged, connected and opened by mouse', async ({ open }) => {
  const page = await open(`/projects/${await makeBig(MODELS)}`);
  await lookAt(page);
  const [above, below] = [node(page, 'int_053'), node(page, 'int_063')];
  await expect(below).toBeInViewport();

  const boxes = [await boxOf(above), await boxOf(below)];
  const [left, right] = [Math.min(...boxes.map(({ x }) => x)), Math.max(...boxes.map(({ x, width }) => x + width))];
  const [top, bottom] = [Math.min(...boxes.map(({ y }) => y)), Math.max(...boxes.map(({ y, height }) => y + height))];
  await page.keyboard.down('Shift');
  await page.mouse.move(left - 6, top - 5);
  await page.mouse.down();
  await page.mouse.move(right + 6, bottom + 5, { steps: 8 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  const bar = page.getByRole('toolbar', { name: /nodes picked/ });
  await bar.getByRole('button', { name: '--select them' }).click();
  await expect(page.getByLabel('--select')).toHaveValue(/int_053.*int_063|int_063.*int_053/);
  await bar.getByRole('button', { name: 'Let go of them' }).click();
  await expect(bar).toBeHidden();
  await page.getByLabel('--select').fill('');

  const { x, y, width, height } = await boxOf(above);
  await page.mouse.move(x + width / 2, y + height / 2);
  await expect(above.locator('.react-flow__handle.source')).toBeVisible();
  await page.mouse.down();
  await page.mouse.move(x + width / 2 + 40, y + height / 2 + 6, { steps: 8 });
  await page.mouse.up();
  await expect.poll(async () => (await boxOf(above)).x).toBeCloseTo(x + 40, -1);

  await above.hover();
  await above.locator('.react-flow__handle.source').hover();
  await page.mouse.down();
  await below.hover();
  await below.locator('.react-flow__handle.target').hover();
  await page.mouse.up();
  await expect(strip(page)).toContainText('int_063.sql +');

  await below.click();
  await expect(page).toHaveURL(/node=model\.big\.int_063/);
  await expect(page.getByTestId('rf__node-model.big.int_063')).toBeVisible();
});
