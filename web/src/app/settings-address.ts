/** Places in the settings, as the address names them. */

export const SECTIONS = [
  "account",
  "members",
  "keys",
  "knowledge",
  "assistant",
  "activity",
  "inbox",
  "audit",
] as const;

export type SettingsSection = (typeof SECTIONS)[number];

export interface SettingsPlace {
  readonly section: SettingsSection;
  /** One entry of the section: an article, or "new"; the conversation whose turns of the AI are shown. */
  readonly entry: string | null;
}

const WITH_ENTRIES: readonly SettingsSection[] = ["knowledge", "activity"];

/** What nobody knows is the account. */
export function settingsPlaceOf(section: string, entry: string): SettingsPlace {
  const known = SECTIONS.find((name) => name === section);
  if (known === undefined) return { section: "account", entry: null };
  return { section: known, entry: WITH_ENTRIES.includes(known) && entry !== "" ? entry : null };
}

export function settingsPathOf({ section, entry }: SettingsPlace): string {
  return entry === null ? `/settings/${section}` : `/settings/${section}/${entry}`;
}
