/** Is a common table expression of a statement. Offsets count characters of the text. */
export interface Cte {
  name: string;
  /** Where its name begins. */
  from: number;
  /** Where its closing bracket ends. */
  to: number;
}

/** Passes over what is not SQL: comments, strings, Jinja. Answers where it ends; the same place where nothing begins. */
function past(text: string, at: number): number {
  const until = (end: string, skip: number) => {
    const found = text.indexOf(end, at + skip);
    return found < 0 ? text.length : found + end.length;
  };
  const two = text.slice(at, at + 2);
  if (two === '{{') return until('}}', 2);
  if (two === '{%') return until('%}', 2);
  if (two === '{#') return until('#}', 2);
  if (two === '--') return until('\n', 2);
  if (two === '/*') return until('*/', 2);
  if (text[at] === "'" || text[at] === '"') return until(text[at], 1);
  return at;
}

/** Answers where the bracket that opens at a place is closed. */
function closed(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; ) {
    const next = past(text, at);
    if (next > at) {
      at = next;
      continue;
    }
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')' && (depth -= 1) === 0) return at + 1;
    at += 1;
  }
  return text.length;
}

function space(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const isBlank = /\s/.test(text[at] ?? '');
    const next = isBlank ? at + 1 : /^(--|\/\*|\{#)/.test(text.slice(at, at + 2)) ? past(text, at) : at;
    if (next === at) return at;
    at = next;
  }
  return at;
}

/** Lists the CTEs of a statement, also while it is being written. */
export function ctesOf(text: string): Cte[] {
  let at = 0;
  while (at < text.length && !/^with\b/i.test(text.slice(at, at + 5))) {
    const next = past(text, at);
    at = next > at ? next : at + 1;
  }
  const found: Cte[] = [];
  at = space(text, at + 4);
  const recursive = /^recursive\b/i.exec(text.slice(at));
  if (recursive) at = space(text, at + recursive[0].length);
  for (;;) {
    const head = /^([A-Za-z_]\w*)\s*(?:\([^()]*\)\s*)?as\s*(?:(?:not\s+)?materialized\s*)?\(/i.exec(text.slice(at));
    if (!head?.[1]) return found;
    const to = closed(text, at + head[0].length - 1);
    found.push({ name: head[1], from: at, to });
    const comma = space(text, to);
    if (text[comma] !== ',') return found;
    at = space(text, comma + 1);
  }
}

/** Finds the CTE around a place. */
export function cteAt(text: string, at: number): Cte | undefined {
  return ctesOf(text).find(({ from, to }) => from <= at && at <= to);
}
