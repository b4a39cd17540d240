/** How long a text is in the unit its channel counts. */

import { type ChannelCapabilities, LengthUnit } from "../../gen/inbox/messaging/v1/channel_pb";

export function lengthIn(text: string, unit: LengthUnit): number {
  return unit === LengthUnit.BYTES ? new TextEncoder().encode(text).length : [...text].length;
}

/** Characters or bytes that are left; null where the channel has no limit or it is far away. */
export function lengthLeft(
  text: string,
  capabilities: ChannelCapabilities | undefined,
): number | null {
  const limit = capabilities?.maxTextLength ?? 0;
  if (limit === 0 || capabilities === undefined) return null;
  // Cheap first: no text has more code points or bytes than four times its units.
  if (text.length * 4 < limit * 0.8) return null;
  const left = limit - lengthIn(text, capabilities.textLengthUnit);
  return left > limit * 0.1 ? null : left;
}
