/** What a contact will be once another is part of it. The service decides; this says so before, by the same rules. */

import type { ContactField, ContactProfile } from "../gen/inbox/conversation/v1/contact_pb";
import type { Contact } from "../gen/inbox/conversation/v1/conversation_pb";

export interface WholeContact {
  readonly contact: Contact;
  readonly profile: ContactProfile;
}

/** One thing that is known of them. */
export interface KeptLine {
  readonly name: string;
  readonly kept: string;
  /** What the other one had instead, and nobody has afterwards; empty for nothing. */
  readonly dropped: string;
}

export interface MergePreview {
  readonly lines: readonly KeptLine[];
  readonly identities: Contact["identities"];
  readonly tagIds: readonly string[];
}

/** What both have, the one that stays keeps as it has it; what only the other has is kept too. */
export function previewOfMerge(stays: WholeContact, goes: WholeContact): MergePreview {
  const lines = [
    line("Name", stays.contact.displayName, goes.contact.displayName),
    line("E-mail", stays.profile.email, goes.profile.email),
    line("Phone", stays.profile.phone, goes.profile.phone),
    line("Language", stays.profile.language, goes.profile.language),
    ...fieldLines(stays.profile.fields, goes.profile.fields),
  ];
  return {
    lines: lines.filter(({ kept }) => kept !== ""),
    identities: [...stays.contact.identities, ...goes.contact.identities],
    tagIds: [...new Set([...stays.profile.tagIds, ...goes.profile.tagIds])],
  };
}

function line(name: string, own: string, other: string): KeptLine {
  const kept = own || other;
  return { name, kept, dropped: other === kept ? "" : other };
}

function fieldLines(own: readonly ContactField[], other: readonly ContactField[]): KeptLine[] {
  const keys = [...new Set([...own, ...other].map(({ key }) => key))].sort();
  const valueIn = (fields: readonly ContactField[], key: string) =>
    fields.find((field) => field.key === key)?.value ?? "";
  return keys.map((key) => line(key, valueIn(own, key), valueIn(other, key)));
}
