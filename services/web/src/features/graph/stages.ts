import type { Group, View } from './groups';
import { FRAME, NODE_HEIGHT, NODE_WIDTH, type Point, type Positions } from './layout';

/** Lays a project out as people think of it: its stages (sources, staging, marts, …) from left to right, each folder a frame. */

/** Room between columns of one stage, between stages, between rows, and between blocks of a stage. */
const GAP = { column: 40, stage: 56, row: 14, block: 22 };
/** A column with more nodes than this becomes several: a graph is rather wide than high. */
const ROWS_MAX = 14;
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

  /** Orders blocks as their nodes are drawn; those that nothing draws by the last word of their names. */
  private ordered(blocks: readonly Block[]): Block[] {
    const pulled = new Map(blocks.map((block) => [block, mean(block.columns.flatMap((column) => (column ?? []).map((key) => this.pull(key)))) ?? 0]));
    const word = ({ label }: Block) => label.slice(label.lastIndexOf('/') + 1);
    return [...blocks].sort((a, b) => (pulled.get(a) ?? 0) - (pulled.get(b) ?? 0) || word(a).localeCompare(word(b)) || a.label.localeCompare(b.label));
  }

  /** Stacks the blocks of a stage, and answers how many columns they take. */
  private stack(blocks: readonly Block[], left: number): number {
    let bottom = -Infinity;
    const starts = startsOf(blocks);
    for (const block of this.ordered(blocks)) {
      const rows = Math.min(ROWS_MAX, Math.max(...Array.from(block.columns, (column) => column?.length ?? 0)));
      const [above, below] = block.framed ? [FRAME.top, FRAME.side] : [0, 0];
      const height = rows * STEP.y - GAP.row;
      const first = (block.columns.find((column) => column !== undefined) ?? []).flatMap((key) => (this.view.parents.get(key) ?? []).flatMap((parent) => this.placed.get(parent)?.y ?? []));
      const wanted = (mean(first) ?? 0) - (first.length > 0 ? (height - NODE_HEIGHT) / 2 : 0);
      const top = Math.round(Math.max(bottom + GAP.block + above, bottom === -Infinity && first.length === 0 ? 0 : wanted));
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
      bottom = top + height + below;
    }
    return starts.at(-1) ?? 0;
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
    let left = 0;
    for (const at of [...columns.keys()].sort((a, b) => a - b)) {
      const keys = columns.get(at) ?? [];
      const wide = this.stack(this.blocks(keys), left);
      left += wide * STEP.x - GAP.column + GAP.stage + 2 * FRAME.side;
    }
    return this.placed;
  }
}

/** Lays a graph out by its stages and folders; what was there keeps its order. */
export function layOutStages(view: View, known: Positions): Positions {
  return new Stages(view, known).layOut();
}
