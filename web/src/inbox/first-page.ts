/**
 * Pages of a list. The list is a projection that follows messaging; asked with a position, as for a snapshot, it waits
 * until it shows what the live line told of.
 */

import { refusalOf } from "../connection/refusal";
import { Reason } from "../gen/inbox/error/v1/reason_pb";
import type { ConversationPage, InboxApi } from "./api";
import type { Clock } from "./inbox";
import type { ListQuery } from "./list-query";

/** Each time the service itself waits five seconds for its projection. */
const CATCH_UP_TRIES = 2;
const CATCH_UP_PAUSE_MILLIS = 500;

export interface FirstPage extends ConversationPage {
  /** Whether it shows everything up to the position. */
  readonly isCaughtUp: boolean;
}

/** A projection that stands still must not keep the inbox from showing: in the end the list is taken as it is. */
export async function firstPage(
  api: InboxApi,
  clock: Clock,
  query: ListQuery,
  position: string,
): Promise<FirstPage> {
  for (let tries = 0; position !== "" && tries < CATCH_UP_TRIES; tries += 1) {
    if (tries > 0) await clock.wait(CATCH_UP_PAUSE_MILLIS);
    try {
      return { ...(await listPage(api, query, "", position)), isCaughtUp: true };
    } catch (error) {
      if (refusalOf(error).reason !== Reason.TEMPORARILY_UNAVAILABLE) throw error;
    }
  }
  return { ...(await listPage(api, query, "", "")), isCaughtUp: position === "" };
}

/** A tag that is not there is on no conversation: once it is created, the live line tells who gets it. */
export async function listPage(
  api: InboxApi,
  query: ListQuery,
  pageToken: string,
  position = "",
): Promise<ConversationPage> {
  try {
    return await api.listConversations(query, pageToken, position);
  } catch (error) {
    if (refusalOf(error).reason !== Reason.TAG_NOT_FOUND) throw error;
    return { conversations: [], nextPageToken: "", frontier: null };
  }
}
