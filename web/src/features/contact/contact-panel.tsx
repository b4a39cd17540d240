/** Everything that is known of whoever writes in the open conversation. Loaded when it is opened. */

import type { Contact } from "../../gen/inbox/conversation/v1/conversation_pb";
import { contactOf } from "../../inbox/contacts";
import type { ConversationView } from "../../inbox/views";
import { Button } from "../../ui/button";
import { AlertIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { SidePanel } from "../../ui/side-panel";
import { Skeleton } from "../../ui/skeleton";
import { fullDate, toDate } from "../../ui/time";
import { ContactAvatar } from "../contact-avatar";
import { nameOf } from "../contact-name";
import { useConversation, useInbox, useObservable, useSession, useTimeZone } from "../session";
import { ConsentSection } from "./consent-section";
import { ConversationsSection } from "./conversations-section";
import { DetailsSection, type OpenMessage } from "./details-section";
import { ErasedContact } from "./erased-contact";
import { IdentitiesSection } from "./identities-section";
import { LabelsSection } from "./labels-section";
import { NotesSection } from "./notes-section";
import { PrivacySection } from "./privacy-section";
import { ProfileSection } from "./profile-section";
import { ContactContext, useContactFile } from "./use-contact";

interface PanelProps {
  conversationId: string;
  hrefOf: (conversationId: string) => string;
  onOpen: (conversationId: string) => void;
  onOpenMessage: OpenMessage;
  onClose: () => void;
}

export default function ContactPanel(props: PanelProps) {
  const { conversationId, onClose } = props;
  const { erasures } = useSession();
  const conversation = useConversation(conversationId);
  const erasure = useObservable(erasures).get(conversationId);
  const contactId = useInbox(({ state }) => {
    const id = state.conversations.get(conversationId)?.contact?.id ?? "";
    return contactOf(state, id)?.id ?? id;
  });
  // Of one that came back there is a new contact, once the old one is gone.
  const isBeingErased = erasure !== undefined && erasure.contactId === contactId;
  return (
    <SidePanel title="Contact" onClose={onClose}>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        {conversation === null || isBeingErased ? (
          <ErasedContact erasure={erasure} />
        ) : (
          <Sections key={contactId} contactId={contactId} conversation={conversation} {...props} />
        )}
      </div>
    </SidePanel>
  );
}

function Sections({
  contactId,
  conversation,
  hrefOf,
  onOpen,
  onOpenMessage,
}: PanelProps & { contactId: string; conversation: ConversationView }) {
  const { file, state, open } = useContactFile(contactId);
  if (state.phase === "failed" || state.phase === "gone") {
    return (
      <EmptyState
        icon={<AlertIcon className="size-7" />}
        title={state.phase === "gone" ? "No such contact" : "The contact could not be loaded"}
        action={
          state.phase === "failed" && <Button onClick={() => void file.load()}>Try again</Button>
        }
      />
    );
  }
  if (open === null || state.phase === "loading") return <PanelSkeleton />;
  return (
    <ContactContext value={open}>
      <div className="flex items-center gap-3 px-5 pt-5 pb-1">
        <ContactAvatar conversation={conversation} size="large" />
        <div className="min-w-0">
          <p className="text-base font-semibold break-words">{nameOf(conversation)}</p>
          <Since contact={open.contact} />
        </div>
      </div>
      <ProfileSection />
      <LabelsSection />
      <NotesSection />
      <DetailsSection onOpenMessage={onOpenMessage} />
      <ConsentSection />
      <IdentitiesSection />
      <ConversationsSection currentId={conversation.id} hrefOf={hrefOf} onOpen={onOpen} />
      <PrivacySection />
    </ContactContext>
  );
}

function Since({ contact }: { contact: Contact }) {
  const timeZone = useTimeZone();
  if (contact.createTime === undefined) return null;
  return (
    <p className="text-xs text-muted">
      First wrote on {fullDate(toDate(contact.createTime), timeZone)}
    </p>
  );
}

function PanelSkeleton() {
  return (
    <div role="status" aria-label="Loading the contact" className="flex flex-col gap-6 p-5">
      <div className="flex items-center gap-3">
        <Skeleton className="size-11 rounded-full!" />
        <Skeleton className="h-4 w-2/5" />
      </div>
      {["w-4/5", "w-3/5", "w-2/3"].map((width) => (
        <div key={width} className="flex flex-col gap-2.5">
          <Skeleton className="h-3.5 w-1/4" />
          <Skeleton className={`h-3 ${width}`} />
          <Skeleton className="h-3 w-1/2" />
        </div>
      ))}
    </div>
  );
}
