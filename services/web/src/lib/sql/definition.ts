import { type Known, refNode, sourceNode } from './names';

/** Is where a name is defined: a node, or a line of a file. */
export type Definition = { node: string } | { path: string; line: number };

/** What may lead somewhere, each with the names in it. */
const CALLS: readonly [RegExp, (known: Known, names: readonly string[]) => Definition | undefined][] = [
  [/\bref\(\s*['"](\w+)['"](?:\s*,\s*['"](\w+)['"])?/g, (known, [first, second]) => of(refNode(known, second ?? first ?? ''))],
  [/\bsource\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]/g, (known, [source, table]) => of(sourceNode(known, source ?? '', table ?? ''))],
  [/\b(?:(\w+)\.)?(\w+)\s*\(/g, (known, [owner, name]) => macro(known, owner, name ?? '')],
];

function of(node: { unique_id: string } | undefined): Definition | undefined {
  return node && { node: node.unique_id };
}

function macro({ names }: Known, owner: string | undefined, name: string): Definition | undefined {
  const found = names?.macros.find((known) => known.name === name && (owner === undefined || owner === '' || known.package === owner));
  return found?.place ? { path: found.place.path, line: found.place.line } : undefined;
}

/** Finds the definition of what stands at a place of a text: a ref, a source, a macro. */
export function definitionAt(known: Known, text: string, at: number): Definition | undefined {
  for (const [pattern, find] of CALLS) {
    for (const match of text.matchAll(pattern)) {
      if (match.index > at || at > match.index + match[0].length) continue;
      const found = find(known, match.slice(1));
      if (found) return found;
    }
  }
  return undefined;
}
