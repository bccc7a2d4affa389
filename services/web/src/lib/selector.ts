interface Named {
  name: string;
  resource_type: string;
  source_name?: string | null;
}

/** Writes a node as dbt's `--select` names it. */
export function selectorOf({ name, resource_type, source_name }: Named): string {
  if (resource_type === 'source') return `source:${source_name ?? ''}.${name}`;
  return resource_type === 'exposure' ? `exposure:${name}` : name;
}
