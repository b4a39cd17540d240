/** Moving a conversation, with a way back. */

import { refusalOf } from "../../connection/refusal";
import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import type { ConversationView } from "../../inbox/views";
import { useToast } from "../../ui/toast";
import { useSession } from "../session";

const DONE: Record<Folder, string> = {
  [Folder.UNSPECIFIED]: "Moved",
  [Folder.OPEN]: "Moved to Open",
  [Folder.SOLVED]: "Marked as solved",
  [Folder.SPAM]: "Moved to Spam",
  [Folder.ARCHIVED]: "Moved to Archived",
};

export function useMove(conversation: ConversationView): (folder: Folder) => void {
  const { inbox } = useSession();
  const toast = useToast();
  const { id, folder: from } = conversation;

  function refused(error: unknown) {
    const hasJustWritten = refusalOf(error).reason === Reason.VERSION_CONFLICT;
    const text = hasJustWritten
      ? "The customer has just written. Read it first."
      : "Could not move it. Try again.";
    toast({ text, tone: "danger" });
  }
  return (folder) => {
    const takeBack = () => void inbox.move(id, from).catch(refused);
    inbox
      .move(id, folder)
      .then(() => toast({ text: DONE[folder], action: { label: "Undo", act: takeBack } }), refused);
  };
}
