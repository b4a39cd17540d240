/** How the model of the services refuses: as the real ones do. */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";

export class NotFound extends Error {}

export function refused(words: string, code: Code, reason: string): ConnectError {
  const refusal = new ConnectError(words, code);
  const value = new BinaryWriter().tag(1, WireType.LengthDelimited).string(reason).finish();
  refusal.details.push({ type: "google.rpc.ErrorInfo", value });
  return refusal;
}

/** When the list does not get there in time. */
export function hasToCatchUp(): ConnectError {
  const words = "the inbox list, which has to catch up";
  return refused(words, Code.Unavailable, "TEMPORARILY_UNAVAILABLE");
}
