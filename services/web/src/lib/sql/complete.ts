import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';

import { ctesOf } from './ctes';
import { type Known, type Macro, readBy, referable } from './names';

/** What dbt puts into every template. */
const BUILT_IN: readonly [name: string, detail: string][] = [
  ['ref', 'a model, seed or snapshot'],
  ['source', 'a table of a source'],
  ['var', 'a var of the project or environment'],
  ['env_var', 'a value of the environment'],
  ['config', 'sets configs of this node'],
  ['this', 'the relation of this node'],
  ['is_incremental', 'true where the table exists already'],
  ['target', 'the target: name, schema, type'],
  ['adapter', 'what asks the database'],
  ['run_query', 'asks the database while compiling'],
  ['log', 'writes into the log'],
  ['return', 'ends a macro with a value'],
];

const WORD = /\w*$/;
const VALID = /^\w*$/;

function result(context: CompletionContext, text: string, options: Completion[]): CompletionResult | null {
  const from = context.pos - (WORD.exec(text)?.[0].length ?? 0);
  return options.length > 0 ? { from, options, validFor: VALID } : null;
}

function macroOption({ name, package: owner, arguments: given, description }: Macro, own: string): Completion {
  const label = owner === own || owner === 'dbt' ? name : `${owner}.${name}`;
  return { label, detail: `(${given.join(', ')})`, info: description === '' ? owner : description, type: 'function', boost: owner === own ? 2 : 0 };
}

/** Answers whether a place stands inside of `{{ }}` or `{% %}`. */
export function isInJinja(before: string): boolean {
  const open = Math.max(before.lastIndexOf('{{'), before.lastIndexOf('{%'));
  return open >= 0 && open > Math.max(before.lastIndexOf('}}'), before.lastIndexOf('%}'));
}

function inJinja(context: CompletionContext, known: Known, word: string): CompletionResult | null {
  const own = known.nodes.find((node) => node.resource_type === 'model')?.package ?? '';
  const macros = (known.names?.macros ?? []).map((macro) => macroOption(macro, own));
  const builtIn = BUILT_IN.map(([label, detail]) => ({ label, detail, type: 'keyword', boost: 3 }));
  return result(context, word, [...builtIn, ...macros]);
}

/** Lists the columns that a text can name: those of what it reads; after `cte.` those of what that CTE reads. */
function columns(known: Known, text: string, of: string | undefined): Completion[] {
  const cte = of === undefined ? undefined : ctesOf(text).find(({ name }) => name === of);
  const scope = cte ? text.slice(cte.from, cte.to) : text;
  const read = readBy(known, scope);
  const seen = new Set<string>();
  const options: Completion[] = [];
  for (const node of read.length > 0 ? read : readBy(known, text)) {
    for (const label of known.names?.columns[node.unique_id] ?? []) {
      if (seen.has(label)) continue;
      seen.add(label);
      options.push({ label, detail: node.name, type: 'property' });
    }
  }
  return options;
}

/** Completes refs, sources, vars, macros, CTEs and the columns of what the text reads. */
export function completeSql(known: () => Known): CompletionSource {
  return (context) => {
    const all = known();
    const table = context.matchBefore(/\bsource\(\s*['"]\w+['"]\s*,\s*['"]\w*/);
    if (table) {
      const source = /source\(\s*['"](\w+)/.exec(table.text)?.[1];
      const tables = all.nodes.filter((node) => node.resource_type === 'source' && node.source_name === source);
      return result(context, table.text, tables.map((node) => ({ label: node.name, type: 'variable' })));
    }
    const call = context.matchBefore(/\b(?:ref|source|var)\(\s*['"]\w*/);
    if (call) {
      if (call.text.startsWith('ref')) return result(context, call.text, referable(all).map((node) => ({ label: node.name, detail: node.materialized ?? node.resource_type, type: 'variable' })));
      if (call.text.startsWith('var')) return result(context, call.text, (all.names?.vars ?? []).map(({ name, value }) => ({ label: name, detail: JSON.stringify(value), type: 'variable' })));
      const names = [...new Set(all.nodes.flatMap((node) => (node.resource_type === 'source' && node.source_name ? [node.source_name] : [])))];
      return result(context, call.text, names.map((label) => ({ label, type: 'variable' })));
    }
    const dotted = context.matchBefore(/\w+\.\w*/);
    const word = context.matchBefore(/\w+/);
    if (!word && !dotted && !context.explicit) return null;
    const text = context.state.doc.toString();
    if (isInJinja(text.slice(0, context.pos))) return inJinja(context, all, word?.text ?? '');
    const named = dotted ? /^\w+/.exec(dotted.text)?.[0] : undefined;
    const ctes = named === undefined ? ctesOf(text).map(({ name }) => ({ label: name, detail: 'CTE', type: 'class' })) : [];
    return result(context, word?.text ?? '', [...ctes, ...columns(all, text, named)]);
  };
}
