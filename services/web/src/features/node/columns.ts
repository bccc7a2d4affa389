import type { DeclaredColumn, NodeColumn, NodeRelation } from '@/api/schema';

/** Is a column as the YAML declares it, as the target has it, or both. */
export interface BothColumn {
  name: string;
  declared: NodeColumn | undefined;
  actual: { type: string; nullable: boolean } | undefined;
}

/** Brings declared and actual columns together, in the order of the target; those that it lacks come last. */
export function together(declared: readonly NodeColumn[], relation: NodeRelation | undefined): BothColumn[] {
  const actual = relation?.state === 'found' ? relation.columns : [];
  const same = (one: string) => (other: { name: string }) => other.name.toLowerCase() === one.toLowerCase();
  const found = actual.map((column): BothColumn => {
    const entry = declared.find(same(column.name));
    return { name: entry?.name ?? column.name, declared: entry, actual: { type: column.type, nullable: column.nullable } };
  });
  const lacking = declared.filter((column) => !actual.some(same(column.name)));
  return [...found, ...lacking.map((column) => ({ name: column.name, declared: column, actual: undefined }))];
}

/** Lists what the YAML lacks of the target's columns: whole columns, and the types of those that it declares without one. */
export function undeclared(columns: readonly BothColumn[]): DeclaredColumn[] {
  return columns.flatMap(({ name, declared, actual }) => (actual && declared?.data_type == null ? [{ name, data_type: actual.type }] : []));
}
