/** What a closed socket means: whether to come back, and how. The gateway's close_codes is the other half. */

export const CloseCode = {
  /** The server restarts. */
  RESTART: 1012,
  /** We did not speak its language. */
  MALFORMED: 4400,
  /** The credential ended. */
  CREDENTIAL_ENDED: 4401,
  /** The member may not watch any more. */
  FORBIDDEN: 4403,
  /** We read too slowly: come back and resume. */
  TOO_SLOW: 4408,
  /** We asked too much. */
  TOO_MANY: 4429,
  /** Ours: the chain of positions has a hole. */
  CHAIN_BROKEN: 4900,
  /** Ours: nothing came for too long. */
  SILENT: 4901,
  /** Ours: the page is going away or the person signed out. */
  LEAVING: 4902,
} as const;

export type AfterClose = "resume" | "refresh" | "stop";

/** Every code that is not listed is an accident of the network, and worth another try. */
export function afterClose(code: number): AfterClose {
  switch (code) {
    case CloseCode.CREDENTIAL_ENDED:
      return "refresh";
    case CloseCode.MALFORMED:
    case CloseCode.FORBIDDEN:
    case CloseCode.TOO_MANY:
    case CloseCode.LEAVING:
      return "stop";
    default:
      return "resume";
  }
}
