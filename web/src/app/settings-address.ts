/** Places in the settings, as the address names them. */

export const SECTIONS = [
  "account",
  "members",
  "keys",
  "knowledge",
  "assistant",
  "inbox",
  "audit",
] as const;

export type SettingsSection = (typeof SECTIONS)[number];

export interface SettingsPlace {
  readonly section: SettingsSection;
  /** One entry of the section: an article, or "new". */
  readonly entry: string | null;
}

/** What nobody knows is the account. */
export function settingsPlaceOf(section: string, entry: string): SettingsPlace {
  const known = SECTIONS.find((name) => name === section);
  if (known === undefined) return { section: "account", entry: null };
  return { section: known, entry: known === "knowledge" && entry !== "" ? entry : null };
}

export function settingsPathOf({ section, entry }: SettingsPlace): string {
  return entry === null ? `/settings/${section}` : `/settings/${section}/${entry}`;
}
