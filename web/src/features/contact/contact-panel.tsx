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
import { ChannelIcon, lookOf } from "../channel-kind";
import { ContactAvatar } from "../contact-avatar";
import { nameOf } from "../contact-name";
import { useInbox, useTimeZone } from "../session";
import { ConsentSection } from "./consent-section";
import { ConversationsSection } from "./conversations-section";
import { DetailsSection, type OpenMessage } from "./details-section";
import { LabelsSection } from "./labels-section";
import { NotesSection } from "./notes-section";
import { ProfileSection } from "./profile-section";
import { Section } from "./section";
import { ContactContext, useContact, useContactFile } from "./use-contact";

interface PanelProps {
  conversation: ConversationView;
  hrefOf: (conversationId: string) => string;
  onOpen: (conversationId: string) => void;
  onOpenMessage: OpenMessage;
  onClose: () => void;
}

export default function ContactPanel(props: PanelProps) {
  const { conversation, onClose } = props;
  const contactId = useInbox(({ state }) => {
    const id = state.conversations.get(conversation.id)?.contact?.id ?? "";
    return contactOf(state, id)?.id ?? id;
  });
  return (
    <SidePanel title="Contact" onClose={onClose}>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        <Sections key={contactId} contactId={contactId} {...props} />
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
}: PanelProps & { contactId: string }) {
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

function IdentitiesSection() {
  const { contact } = useContact();
  const channels = useInbox((snapshot) => snapshot.state.channels);
  return (
    <Section title="Identities">
      <ul aria-label="Identities" className="flex flex-col gap-2">
        {contact.identities.map((identity) => (
          <li
            key={`${identity.channelId} ${identity.externalId}`}
            className="flex items-center gap-3 text-sm"
          >
            <ChannelIcon kind={identity.channelKind} />
            <span className="min-w-0">
              <span className="block truncate">
                {channels.get(identity.channelId)?.displayName ?? lookOf(identity.channelKind).name}
              </span>
              <span
                className="block truncate font-mono text-xs text-muted"
                title={identity.externalId}
              >
                {identity.externalId}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Section>
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
