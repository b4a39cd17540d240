/** Why a conversation was given to people, as the end of a sentence; empty where nothing is known that a person would say. */

import { HandoverReason } from "../gen/inbox/messaging/v1/thread_pb";

export const HANDOVER_WORDS: Record<HandoverReason, string> = {
  [HandoverReason.UNSPECIFIED]: "",
  [HandoverReason.CUSTOMER_ASKED]: "the customer asked for a person",
  [HandoverReason.UNSURE]: "it was not sure enough",
  [HandoverReason.PROVIDER_FAILED]: "its provider failed",
  [HandoverReason.PROVIDER_SLOW]: "its provider was too slow",
  [HandoverReason.POLICY]: "a rule of yours wants a person here",
  [HandoverReason.OTHER]: "",
};
