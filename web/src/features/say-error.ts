/** One sentence for a form whose call failed. */

import { refusalOf } from "../connection/refusal";
import { Reason } from "../gen/inbox/error/v1/reason_pb";

export function sayError(error: unknown): string {
  const refusal = refusalOf(error);
  switch (refusal.reason) {
    case Reason.MEMBER_EXISTS:
      return "Somebody with this e-mail address is a member already.";
    case Reason.LAST_OWNER:
      return "The last owner cannot be removed or changed. Make somebody else an owner first.";
    case Reason.PASSWORD_TOO_WEAK:
      return "Choose a password of at least 10 characters that is hard to guess.";
    case Reason.SIGN_IN_REFUSED:
      return "Your present password is not right.";
    case Reason.ROLE_NOT_ALLOWED:
      return "Your role may not do this. Ask an owner.";
    case Reason.TAG_EXISTS:
      return "There is a tag of this name already.";
    case Reason.TOO_MANY_TAGS:
      return "The workspace has as many tags as it may have. Delete one first.";
    case Reason.TOO_MANY_ARTICLES:
      return "The workspace has as many articles as it may have. Delete one first.";
    case Reason.ARTICLE_NOT_FOUND:
      return "Somebody else deleted this article.";
    case Reason.CONTACT_FULL:
      return "This contact has as much of it as it may have. Delete something first.";
    case Reason.CONTACT_NOT_FOUND:
    case Reason.CONTACT_FIELD_NOT_FOUND:
    case Reason.CONTACT_NOTE_NOT_FOUND:
      return "Somebody else deleted this.";
    case Reason.VERSION_CONFLICT:
      return "Somebody else changed this meanwhile. Look again, then repeat.";
    default:
      if (refusal.isTransient) return "Inbox cannot be reached right now. Try again in a moment.";
      return refusal.message || "This did not work.";
  }
}

/** What is wrong with one field of a form, by the field's name in the request. */
export interface FieldError {
  readonly field: string;
  readonly text: string;
}

/** Null when the refusal is not about a field. */
export function fieldErrorOf(error: unknown): FieldError | null {
  const { reason, metadata } = refusalOf(error);
  const { field = "", rule = "", host = "" } = metadata;
  if (field === "") return null;
  switch (reason) {
    case Reason.INVALID_ARGUMENT:
      return { field, text: sentence(rule) };
    case Reason.PROVIDER_HOST_NOT_ALLOWED:
      return { field, text: `Whoever runs this Inbox does not allow providers at ${host}.` };
    case Reason.PROVIDER_INCOMPLETE:
      return { field, text: "The provider needs this." };
    default:
      return null;
  }
}

/** "must have 1 to 80 characters" as a person reads it. */
function sentence(rule: string): string {
  const words = rule.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
