import type { Group, View } from './groups';
import { FRAME, NODE_HEIGHT, NODE_WIDTH, type Point, type Positions } from './layout';

/** Lays a project out as people think of it: its stages (sources, staging, marts, …) from left to right, each folder a frame. */

/** Room between columns of one stage, between stages, between rows, and between blocks of a stage. */
const GAP = { column: 40, stage: 56, row: 14, block: 22 };
/** A column with more nodes than this becomes several: a graph is rather wide than high. */
const ROWS_MAX = 14;
/** A stage up to so high is one stack; a higher one becomes several beside each other, as high as the whole graph should be for its width. */
const STAGE_HIGH = 2400;
const WIDE_PER_HIGH = 1.7;
const STEP = { x: NODE_WIDTH + GAP.column, y: NODE_HEIGHT + GAP.row };

/** Is what is stacked in a stage: the members of a frame, or one node. */
interface Block {
  label: string;
  framed: boolean;
  /** Its columns from left to right, each from top to bottom. */
  columns: (string[] | undefined)[];
}

function stageOfPath(path: string): string {
  return path.split('/').slice(0, -1).slice(0, 2).join('/');
}

function stagePath(view: View, key: string): string {
  const closed = view.closed.get(key);
  if (closed) return closed.kind === 'source' ? 'sources' : closed.key.slice(closed.key.indexOf('/') + 1).split('/').slice(0, 2).join('/');
  const node = view.nodes.get(key);
  if (!node) return '';
  return node.resource_type === 'source' ? 'sources' : stageOfPath(node.path);
}

/** Answers how far each key is from where nothing is before it, along some edges; a cycle does not count. */
function depths(keys: Iterable<string>, parents: (key: string) => readonly string[]): Map<string, number> {
  const known = new Map<string, number>();
  const under = new Set<string>();
  const depth = (key: string): number => {
    const found = known.get(key);
    if (found !== undefined) return found;
    under.add(key);
    let most = 0;
    for (const parent of parents(key)) if (!under.has(parent)) most = Math.max(most, depth(parent) + 1);
    under.delete(key);
    known.set(key, most);
    return most;
  };
  for (const key of keys) depth(key);
  return known;
}

/** Answers the place of each stage from the left: after all stages that feed it. */
function ranks(view: View, stages: ReadonlyMap<string, string>): Map<string, number> {
  const depth = depths(stages.keys(), (key) => view.parents.get(key) ?? []);
  const sums = new Map<string, { sum: number; count: number }>();
  for (const [key, stage] of stages) {
    const { sum, count } = sums.get(stage) ?? { sum: 0, count: 0 };
    sums.set(stage, { sum: sum + (depth.get(key) ?? 0), count: count + 1 });
  }
  const mean = (stage: string) => {
    const found = sums.get(stage);
    return found ? found.sum / found.count : 0;
  };
  const order = [...sums.keys()].sort((a, b) => mean(a) - mean(b) || a.localeCompare(b));
  const feeds = new Map<string, Set<string>>();
  for (const [parent, child] of view.edges) {
    const [from, to] = [stages.get(parent) ?? '', stages.get(child) ?? ''];
    if (from !== to) feeds.set(to, (feeds.get(to) ?? new Set()).add(from));
  }
  const rank = new Map<string, number>();
  for (const stage of order) {
    const before = [...(feeds.get(stage) ?? [])].flatMap((from) => rank.get(from) ?? []);
    rank.set(stage, before.length > 0 ? Math.max(...before) + 1 : 0);
  }
  return rank;
}

function mean(values: readonly number[]): number | undefined {
  return values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : undefined;
}

/** Answers where each column of a stage begins, counted in columns that are drawn; at the end, how many there are. */
function startsOf(blocks: readonly Block[]): number[] {
  const starts = [0];
  const count = Math.max(...blocks.map(({ columns }) => columns.length));
  for (let column = 0; column < count; column += 1) {
    const widest = Math.max(...blocks.map(({ columns }) => Math.ceil((columns[column]?.length ?? 0) / ROWS_MAX)));
    starts.push((starts[column] ?? 0) + Math.max(1, widest));
  }
  return starts;
}

/** Answers how many rows a block takes. */
function rowsOf({ columns }: Block): number {
  return Math.min(ROWS_MAX, Math.max(...Array.from(columns, (column) => column?.length ?? 0)));
}

function heightOf(block: Block): number {
  return rowsOf(block) * STEP.y - GAP.row;
}

/** Answers what a block's frame takes above and below its nodes. */
function edgesOf({ framed }: Block): [above: number, below: number] {
  return framed ? [FRAME.top, FRAME.side] : [0, 0];
}

function roomOf(block: Block): number {
  const [above, below] = edgesOf(block);
  return above + heightOf(block) + below + GAP.block;
}

function stackedHeight(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + roomOf(block), 0);
}

/** Deals the blocks of a stage out to stacks of about the same height, in their order. */
function stacksOf(blocks: readonly Block[], limit: number): Block[][] {
  const all = stackedHeight(blocks);
  const count = Math.ceil(all / limit);
  const stacks: Block[][] = [];
  let before = 0;
  for (const block of blocks) {
    const at = Math.min(count - 1, Math.floor(((before + roomOf(block) / 2) / all) * count));
    (stacks[at] ??= []).push(block);
    before += roomOf(block);
  }
  return stacks.filter((stack) => stack.length > 0);
}

/** Moves blocks up as far as they stand too low, the last first. */
function pushUp(blocks: readonly Block[], tops: number[], lowest: number): void {
  const first = blocks[0];
  if (!first || lowest === Infinity) return;
  let floor = Math.max(lowest, stackedHeight(blocks));
  for (const [at, block] of [...blocks.entries()].reverse()) {
    const [above, below] = edgesOf(block);
    tops[at] = Math.min(tops[at] ?? 0, floor - below - heightOf(block));
    floor = tops[at] - above - GAP.block;
  }
}

/** Is a layout in the making. */
class Stages {
  private readonly stages: ReadonlyMap<string, string>;
  private readonly column: ReadonlyMap<string, number>;
  private readonly placed = new Map<string, Point>();
  private readonly framed: ReadonlyMap<string, Group>;

  constructor(
    private readonly view: View,
    private readonly known: Positions,
  ) {
    const keys = [...view.closed.keys(), ...view.nodes.keys()];
    this.stages = new Map(keys.map((key) => [key, stagePath(view, key)]));
    const inside = (key: string) => (view.parents.get(key) ?? []).filter((parent) => this.stages.get(parent) === this.stages.get(key));
    this.column = depths(keys, inside);
    this.framed = new Map(view.open.flatMap((group) => group.members.map((member) => [member, group])));
  }

  /** Answers where a key is drawn towards: where it stood, else the middle of what it reads. */
  private pull(key: string): number {
    const parents = (this.view.parents.get(key) ?? []).flatMap((parent) => this.placed.get(parent)?.y ?? []);
    return this.known.get(key)?.y ?? mean(parents) ?? 0;
  }

  private blocks(keys: readonly string[]): Block[] {
    const blocks = new Map<string, Block>();
    for (const key of keys) {
      const group = this.framed.get(key);
      const name = group?.key ?? key;
      const label = group?.label ?? this.view.closed.get(key)?.label ?? this.view.nodes.get(key)?.name ?? key;
      const block = blocks.get(name) ?? { label, framed: group !== undefined, columns: [] };
      blocks.set(name, block);
      (block.columns[this.column.get(key) ?? 0] ??= []).push(key);
    }
    return [...blocks.values()];
  }

  /** Orders blocks as their nodes are drawn; those that nothing draws by the last word of their names. Several stacks read like a list of folders. */
  private ordered(blocks: readonly Block[], isList: boolean): Block[] {
    if (isList) return [...blocks].sort((a, b) => a.label.localeCompare(b.label));
    const pulled = new Map(blocks.map((block) => [block, mean(block.columns.flatMap((column) => (column ?? []).map((key) => this.pull(key)))) ?? 0]));
    const word = ({ label }: Block) => label.slice(label.lastIndexOf('/') + 1);
    return [...blocks].sort((a, b) => (pulled.get(a) ?? 0) - (pulled.get(b) ?? 0) || word(a).localeCompare(word(b)) || a.label.localeCompare(b.label));
  }

  /** Stacks blocks over each other, each near what it reads, and answers how many columns they take. */
  private stack(blocks: readonly Block[], left: number, lowest: number): number {
    const starts = startsOf(blocks);
    const tops: number[] = [];
    let bottom = -Infinity;
    for (const block of blocks) {
      const [above, below] = edgesOf(block);
      const height = heightOf(block);
      const first = (block.columns.find((column) => column !== undefined) ?? []).flatMap((key) => (this.view.parents.get(key) ?? []).flatMap((parent) => this.placed.get(parent)?.y ?? []));
      const wanted = (mean(first) ?? 0) - (first.length > 0 ? (height - NODE_HEIGHT) / 2 : 0);
      const top = Math.round(Math.max(bottom + GAP.block + above, bottom === -Infinity && first.length === 0 ? 0 : wanted));
      tops.push(top);
      bottom = top + height + below;
    }
    pushUp(blocks, tops, lowest);
    for (const [at, block] of blocks.entries()) this.fill(block, { left, top: tops[at] ?? 0, starts });
    return starts.at(-1) ?? 0;
  }

  /** Places the members of a block. */
  private fill(block: Block, { left, top, starts }: { left: number; top: number; starts: readonly number[] }): void {
    const rows = rowsOf(block);
    for (const [column, keys] of block.columns.entries()) {
      if (!keys) continue;
      const sorted = [...keys].sort((a, b) => this.pull(a) - this.pull(b) || a.localeCompare(b));
      const high = Math.ceil(keys.length / Math.ceil(keys.length / ROWS_MAX));
      const inset = Math.round(((rows - high) * STEP.y) / 2);
      for (const [at, key] of sorted.entries()) {
        const x = left + ((starts[column] ?? 0) + Math.floor(at / high)) * STEP.x;
        this.placed.set(key, { x, y: top + inset + (at % high) * STEP.y });
      }
    }
  }

  layOut(): Positions {
    const rank = ranks(this.view, this.stages);
    const columns = new Map<number, string[]>();
    for (const [key, stage] of this.stages) {
      const at = rank.get(stage) ?? 0;
      const list = columns.get(at) ?? [];
      columns.set(at, list);
      list.push(key);
    }
    const stages = [...columns].sort(([a], [b]) => a - b).map(([, keys]) => this.blocks(keys));
    const area = stages.reduce((sum, blocks) => sum + stackedHeight(blocks) * (startsOf(blocks).at(-1) ?? 0) * STEP.x, 0);
    const limit = Math.max(STAGE_HIGH, Math.sqrt(area / WIDE_PER_HIGH));
    let left = 0;
    for (const blocks of stages) {
      const stacks = stacksOf(this.ordered(blocks, stackedHeight(blocks) > limit), limit);
      for (const stack of stacks) {
        const wide = this.stack(stack, left, stacks.length === 1 ? Infinity : limit);
        left += wide * STEP.x - GAP.column + GAP.stage + 2 * FRAME.side;
      }
    }
    return this.placed;
  }
}

/** Lays a graph out by its stages and folders; what was there keeps its order. */
export function layOutStages(view: View, known: Positions): Positions {
  return new Stages(view, known).layOut();
}
