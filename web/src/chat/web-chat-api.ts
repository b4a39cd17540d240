/** The customer's calls, by the Connect protocol in JSON: a few lines instead of a runtime. */

import type { Refusal } from "../connection/refusal";
import type { ReasonJson } from "../gen/inbox/error/v1/reason_pb";
import type {
  AcknowledgeMessagesRequestJson,
  OpenSessionRequestJson,
  OpenSessionResponseJson,
  PostMessageRequestJson,
  PostMessageResponseJson,
  WebChatServiceListMessagesRequestJson,
  WebChatServiceListMessagesResponseJson,
} from "../gen/inbox/messaging/v1/web_chat_service_pb";

const SERVICE = "inbox.messaging.v1.WebChatService";
const DEADLINE_MILLIS = 10_000;

/** The name of a reason without its prefix. */
export type ReasonName = ReasonJson extends `REASON_${infer Name}` ? Name : never;

/** The call failed; `reason` is empty when no service answered. */
export class CallFailed extends Error {
  readonly reason: ReasonName | "";
  readonly isTransient: boolean;

  constructor(reason: ReasonName | "", isTransient: boolean, message: string) {
    super(message);
    this.reason = reason;
    this.isTransient = isTransient;
  }
}

interface ConnectErrorBody {
  code?: string;
  message?: string;
  details?: { type?: string; value?: string; debug?: { reason?: string } }[];
}

async function call<Answer>(
  method: string,
  request: object,
  token: string | null,
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/${SERVICE}/${method}`, {
      method: "POST",
      credentials: "omit",
      headers: {
        "content-type": "application/json",
        "connect-protocol-version": "1",
        "connect-timeout-ms": String(DEADLINE_MILLIS),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(DEADLINE_MILLIS),
    });
  } catch (error) {
    throw new CallFailed("", true, String(error));
  }
  if (response.ok) return (await response.json()) as Answer;
  const body = (await response.json().catch(() => ({}))) as ConnectErrorBody;
  const reason = reasonOf(body);
  const isOurs = ["TEMPORARILY_UNAVAILABLE", "RATE_LIMITED", "INTERNAL"].includes(reason);
  const isTransient = reason === "" ? response.status >= 429 : isOurs;
  throw new CallFailed(reason, isTransient, body.message ?? `HTTP ${response.status}`);
}

/** ErrorInfo's first field is the reason: tag 0x0a, length, letters. */
function reasonOf(body: ConnectErrorBody): ReasonName | "" {
  const info = body.details?.find((detail) => detail.type === "google.rpc.ErrorInfo");
  if (info?.debug?.reason) return info.debug.reason as ReasonName;
  if (!info?.value) return "";
  try {
    const bytes = atob(info.value.replace(/-/gu, "+").replace(/_/gu, "/"));
    return bytes.charCodeAt(0) === 0x0a
      ? (bytes.slice(2, 2 + bytes.charCodeAt(1)) as ReasonName)
      : "";
  } catch {
    return "";
  }
}

/** For the outbox, which asks only whether to try again. */
export function asRefusal(error: unknown): Refusal {
  const failure = error instanceof CallFailed ? error : new CallFailed("", true, String(error));
  return {
    reason: 0,
    message: failure.message,
    metadata: {},
    isTransient: failure.isTransient || failure.reason.startsWith("CREDENTIAL_"),
    isSignedOut: false,
  };
}

export const webChat = {
  openSession: (request: OpenSessionRequestJson) =>
    call<OpenSessionResponseJson>("OpenSession", request, null),
  postMessage: (request: PostMessageRequestJson, token: string) =>
    call<PostMessageResponseJson>("PostMessage", request, token),
  listMessages: (request: WebChatServiceListMessagesRequestJson, token: string) =>
    call<WebChatServiceListMessagesResponseJson>("ListMessages", request, token),
  acknowledgeMessages: (request: AcknowledgeMessagesRequestJson, token: string) =>
    call<object>("AcknowledgeMessages", request, token),
};
