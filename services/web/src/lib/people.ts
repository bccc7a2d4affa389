/** Colours in which people are drawn; white is readable on each. */
const COLOURS = ['#4b57d6', '#a2541c', '#17754a', '#8a3f8f', '#1a63b3', '#b92f27', '#6b6212', '#0f6b74'];

/** Answers the colour of a person: always the same for the same name. */
export function colourOf(name: string): string {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return COLOURS[sum % COLOURS.length] ?? '#4b57d6';
}
