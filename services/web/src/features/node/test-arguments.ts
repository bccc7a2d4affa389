/** Reads what was typed for an argument of a test: a list, a ref, JSON, or words. Undefined while it cannot be read. */
export function argumentValue(name: string, typed: string): unknown {
  const text = typed.trim();
  if (text === '') return undefined;
  if (name === 'values') {
    const list = text.split(',').map((value) => value.trim()).filter((value) => value !== '');
    return list.length > 0 ? list : undefined;
  }
  // What a relationship goes to is a ref, unless it is written out.
  if (name === 'to') return /^(ref|source)\(/.test(text) ? text : `ref('${text}')`;
  if (/^([[{"]|-?\d|true$|false$|null$)/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return /^[[{]/.test(text) ? undefined : text;
    }
  }
  return text;
}

/** Says how an argument is typed. */
export function argumentHint(name: string): string {
  if (name === 'values') return 'With commas between them.';
  if (name === 'to') return 'A model, by its name.';
  return name === 'field' ? 'A column of it.' : 'Words, a number, or JSON.';
}

/** Names the arguments that a test cannot do without, as far as that is known. */
export const NEEDED: Record<string, readonly string[]> = { accepted_values: ['values'], relationships: ['to', 'field'] };

/** Arguments that have a default and are rarely given. */
const RARE = new Set(['quote', 'group_by_columns']);

/** Orders arguments: those that are needed, the others, those that are rare. */
export function orderedArguments(test: string, names: readonly string[]): string[] {
  const rank = (name: string) => (NEEDED[test]?.includes(name) === true ? 0 : RARE.has(name) ? 2 : 1);
  return [...names].sort((a, b) => rank(a) - rank(b));
}
