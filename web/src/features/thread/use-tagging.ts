/** Gives a conversation a tag or takes it away: shown at once, and taken back when it is refused. */

import { refusalOf } from "../../connection/refusal";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import { useToast } from "../../ui/toast";
import { useSession } from "../session";

export function useTagging(conversationId: string): (tagId: string, isOn: boolean) => void {
  const { inbox } = useSession();
  const toast = useToast();
  return (tagId, isOn) => {
    inbox.setTag(conversationId, tagId, isOn).catch((error: unknown) => {
      const isFull = refusalOf(error).reason === Reason.TOO_MANY_TAGS_ON_CONVERSATION;
      const text = isFull
        ? "It has as many tags as it may have. Take one away first."
        : "The tag could not be changed. Try again.";
      toast({ text, tone: "danger" });
    });
  };
}
