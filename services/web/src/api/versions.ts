/** The newest version of each project's branch that this page has heard of: reads wait until the server has it too. */
const known = new Map<string, number>();

/** Remembers that a project's branch has a version. */
export function noteVersion(project: string, version: number): void {
  if (version > (known.get(project) ?? 0)) known.set(project, version);
}

/** Answers the newest version that was heard of. */
export function knownVersion(project: string): number | undefined {
  return known.get(project);
}
