/** The pill between header and messages: who answers in this conversation. */

import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import type { ConversationView } from "../../inbox/views";
import { PersonIcon, SparkIcon } from "../../ui/icons";
import { Segments } from "../../ui/segments";
import { useToast } from "../../ui/toast";
import { useSession } from "../session";
import { ResumeNote } from "./resume-note";

export function ModeBar({ conversation }: { conversation: ConversationView }) {
  const { inbox, canWrite } = useSession();
  const toast = useToast();
  function choose(value: "ai" | "manual") {
    const mode = value === "ai" ? ConversationMode.AI : ConversationMode.MANUAL;
    inbox
      .setMode(conversation.id, mode)
      .catch(() => toast({ text: "The mode could not be switched. Try again.", tone: "danger" }));
  }
  return (
    <div className="flex flex-col items-center border-b border-line bg-surface px-4 py-1.5">
      <Segments
        label="Who answers"
        className="w-56"
        isDisabled={!canWrite}
        value={conversation.mode === ConversationMode.AI ? "ai" : "manual"}
        onChange={choose}
        options={[
          {
            value: "ai",
            text: (
              <>
                <SparkIcon className="size-4" /> AI
              </>
            ),
          },
          {
            value: "manual",
            text: (
              <>
                <PersonIcon className="size-4" /> Manual
              </>
            ),
          },
        ]}
      />
      <ResumeNote conversation={conversation} />
    </div>
  );
}
