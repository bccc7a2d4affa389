import type { CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';

import type { GraphNode } from '@/api/schema';

const REFERABLE = new Set(['model', 'seed', 'snapshot']);

/** Completes the names in `ref('…` and `source('…`. */
export function completeNodes(nodes: readonly GraphNode[]): CompletionSource {
  const refs = nodes.filter((node) => REFERABLE.has(node.resource_type));
  const sources = nodes.filter((node) => node.resource_type === 'source');
  return (context: CompletionContext): CompletionResult | null => {
    const ref = context.matchBefore(/\bref\(\s*['"]\w*/);
    const source = context.matchBefore(/\bsource\(\s*['"]\w*/);
    const table = context.matchBefore(/\bsource\(\s*['"]\w+['"]\s*,\s*['"]\w*/);
    const from = (text: string) => context.pos - (/\w*$/.exec(text)?.[0].length ?? 0);
    if (ref) {
      const options = refs.map((node) => ({ label: node.name, detail: node.materialized ?? node.resource_type, type: 'variable' }));
      return { from: from(ref.text), options, validFor: /^\w*$/ };
    }
    if (table) {
      const name = /source\(\s*['"](\w+)/.exec(table.text)?.[1];
      const options = sources.filter((node) => node.source_name === name).map((node) => ({ label: node.name, type: 'variable' }));
      return { from: from(table.text), options, validFor: /^\w*$/ };
    }
    if (source) {
      const names = [...new Set(sources.flatMap((node) => node.source_name ?? []))];
      return { from: from(source.text), options: names.map((label) => ({ label, type: 'variable' })), validFor: /^\w*$/ };
    }
    return null;
  };
}
