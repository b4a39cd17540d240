/** What went wrong with a call, in one shape: the reason of inbox.error.v1, and whether trying again can help. */

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "../gen/inbox/error/v1/reason_pb";
import { LineBroken, SendRefused } from "./live";

export interface Refusal {
  reason: Reason;
  /** One sentence by the service; shown only when we have none of our own for the reason. */
  message: string;
  metadata: Readonly<Record<string, string>>;
  /** The same request may be repeated and may then succeed. */
  isTransient: boolean;
  /** Only signing in helps. */
  isSignedOut: boolean;
}

const TRANSIENT_REASONS: readonly Reason[] = [
  Reason.TEMPORARILY_UNAVAILABLE,
  Reason.RATE_LIMITED,
  Reason.INTERNAL,
];
const SIGNED_OUT_REASONS: readonly Reason[] = [
  Reason.CREDENTIAL_MISSING,
  Reason.CREDENTIAL_INVALID,
  Reason.CREDENTIAL_EXPIRED,
];
const TRANSIENT_CODES: readonly Code[] = [
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Aborted,
  Code.Internal,
  Code.Unknown,
  Code.Canceled,
];

export function refusalOf(error: unknown): Refusal {
  if (error instanceof SendRefused) {
    const { reason, message, metadata, code } = error.refusal;
    return build(reason, message, metadata, code as Code);
  }
  if (error instanceof LineBroken) {
    return build(Reason.TEMPORARILY_UNAVAILABLE, error.message, {}, Code.Unavailable);
  }
  const failure = ConnectError.from(error);
  const info = errorInfoOf(failure);
  return build(
    info?.reason ?? Reason.UNSPECIFIED,
    failure.rawMessage,
    info?.metadata ?? {},
    failure.code,
  );
}

function build(
  reason: Reason,
  message: string,
  metadata: Readonly<Record<string, string>>,
  code: Code,
): Refusal {
  const isSignedOut =
    SIGNED_OUT_REASONS.includes(reason) ||
    (reason === Reason.UNSPECIFIED && code === Code.Unauthenticated);
  const isTransient =
    !isSignedOut &&
    (reason === Reason.UNSPECIFIED
      ? TRANSIENT_CODES.includes(code)
      : TRANSIENT_REASONS.includes(reason));
  return { reason, message, metadata, isTransient, isSignedOut };
}

/** google.rpc.ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; } */
function errorInfoOf(
  failure: ConnectError,
): { reason: Reason; metadata: Record<string, string> } | null {
  for (const detail of failure.details) {
    if (!("type" in detail) || detail.type !== "google.rpc.ErrorInfo") continue;
    const reader = new BinaryReader(detail.value as Uint8Array);
    let name = "";
    const metadata: Record<string, string> = {};
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === 1) name = reader.string();
      else if (field === 3) Object.assign(metadata, mapEntry(reader.bytes()));
      else reader.skip(wireType);
    }
    const reason = Reason[name as keyof typeof Reason] ?? Reason.UNSPECIFIED;
    return { reason, metadata };
  }
  return null;
}

function mapEntry(bytes: Uint8Array): Record<string, string> {
  const reader = new BinaryReader(bytes);
  let key = "";
  let value = "";
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else reader.skip(wireType);
  }
  return { [key]: value };
}
