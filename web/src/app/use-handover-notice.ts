/** Says that a customer waits for a person, to whoever looks at something else. */

import { useEffect, useRef } from "react";
import { nameOf } from "../features/contact-name";
import { useConversation, useInbox } from "../features/session";
import { useToast } from "../ui/toast";

export function useHandoverNotice(openId: string | null, onOpen: (id: string) => void): void {
  const toast = useToast();
  const row = useInbox(({ state }) => state.newestHandover);
  const conversation = useConversation(row?.conversationId ?? "");
  // What was heard before this screen came is no news.
  const toldId = useRef(row?.id);
  useEffect(() => {
    if (row === null || conversation === null || row.id === toldId.current) return;
    toldId.current = row.id;
    if (row.conversationId === openId) return;
    toast({
      text: `${nameOf(conversation)} is waiting for a person`,
      action: { label: "Open", act: () => onOpen(row.conversationId) },
    });
  }, [row, conversation, openId, onOpen, toast]);
}
