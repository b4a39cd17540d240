/** Where a contact writes from, in one line. */

import type { Contact } from "../gen/inbox/conversation/v1/conversation_pb";
import type { Channel } from "../gen/inbox/messaging/v1/channel_pb";
import { lookOf } from "./channel-kind";

type Identity = Contact["identities"][number];

/** The channel as the workspace calls it. */
export function channelName(identity: Identity, channels: ReadonlyMap<string, Channel>): string {
  return channels.get(identity.channelId)?.displayName ?? lookOf(identity.channelKind).name;
}

export function identityWords(
  identities: readonly Identity[],
  channels: ReadonlyMap<string, Channel>,
): string {
  const [first, ...others] = identities;
  if (first === undefined) return "No identity";
  const words = `${channelName(first, channels)} · ${first.externalId}`;
  return others.length === 0 ? words : `${words} · and ${others.length} more`;
}
