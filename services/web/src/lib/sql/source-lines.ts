/** Maps bytes of the output to bytes of a file. */
export interface MappedSpan {
  output: readonly number[];
  path: string;
  source: readonly number[];
}

/** Answers for each line the byte at which it begins. */
function starts(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  const found = [0];
  for (const [at, byte] of bytes.entries()) if (byte === 10) found.push(at + 1);
  return found;
}

function lineOf(lines: readonly number[], byte: number): number {
  let [low, high] = [0, lines.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lines[middle] ?? 0) <= byte) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}

/** Says which lines of a file belong to which lines of what it compiles to. Lines count from 1. */
export interface LineMap {
  toOutput: ReadonlyMap<number, readonly number[]>;
  toSource: ReadonlyMap<number, readonly number[]>;
}

function note(map: Map<number, number[]>, from: number, to: number): void {
  const known = map.get(from);
  if (!known) map.set(from, [to]);
  else if (!known.includes(to)) known.push(to);
}

/** Reads a source map of bytes as one of lines, for one file. */
export function lineMap(spans: readonly MappedSpan[], path: string, source: string, output: string): LineMap {
  const [toOutput, toSource] = [new Map<number, number[]>(), new Map<number, number[]>()];
  const [sourceLines, outputLines] = [starts(source), starts(output)];
  for (const span of spans) {
    const [from = 0, to = 0] = span.output;
    const [start = 0, end = 0] = span.source;
    if (span.path !== path || to <= from) continue;
    const [first, last] = [lineOf(outputLines, from), lineOf(outputLines, to - 1)];
    const [begin, until] = [lineOf(sourceLines, start), lineOf(sourceLines, Math.max(start, end - 1))];
    // Text that is copied has as many lines here as there; what a template made belongs to all of its lines.
    const isCopy = last - first === until - begin;
    for (let line = first; line <= last; line += 1) {
      const from = isCopy ? begin + line - first : begin;
      for (let at = from; at <= (isCopy ? from : until); at += 1) {
        note(toSource, line, at);
        note(toOutput, at, line);
      }
    }
  }
  return { toOutput, toSource };
}
