/** How long a text is as people count: characters, not UTF-16 units. */

export function lengthOf(text: string): number {
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters;
}

/** "12 of 4,000 characters." */
export function counted(text: string, most: number): string {
  const [length, limit] = [lengthOf(text), most].map((count) => count.toLocaleString("en-US"));
  return `${length} of ${limit} characters.`;
}
