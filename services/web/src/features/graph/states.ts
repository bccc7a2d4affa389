import type { GraphNode, RunStep } from '@/api/schema';
import { type Status, stepStatus } from '@/lib/status';

/** Says how a node and its tests did in a run. */
export interface NodeState {
  status: Status | null;
  passed: number;
  failed: number;
  warned: number;
}

/** Says how each node stands, by `node_key`. */
export type States = ReadonlyMap<string, NodeState>;

function same(a: NodeState | undefined, b: NodeState): boolean {
  return (
    a !== undefined &&
    a.status?.word === b.status?.word &&
    a.passed === b.passed &&
    a.failed === b.failed &&
    a.warned === b.warned
  );
}

/** Reads the steps of a run as states of nodes; what did not change keeps its identity. */
export function statesOf(nodes: Iterable<GraphNode>, steps: readonly RunStep[], before: States): States {
  const byId = new Map(steps.map((step) => [step.unique_id, step]));
  const states = new Map<string, NodeState>();
  for (const node of nodes) {
    const step = byId.get(node.unique_id);
    const tests = node.tests.flatMap((id) => byId.get(id) ?? []);
    if (!step && tests.length === 0) continue;
    const ended = (word: string) => tests.filter((test) => stepStatus(test).word === word).length;
    const state = {
      status: step ? stepStatus(step) : null,
      passed: ended('succeeded'),
      failed: ended('failed'),
      warned: ended('warned'),
    };
    const known = before.get(node.node_key);
    states.set(node.node_key, known && same(known, state) ? known : state);
  }
  return states;
}
