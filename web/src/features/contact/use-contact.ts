/** The contact that the panel shows: loaded when it opens, and current by what the line tells. */

import { createContext, use, useEffect, useMemo } from "react";
import type { ContactProfile } from "../../gen/inbox/conversation/v1/contact_pb";
import type { Contact } from "../../gen/inbox/conversation/v1/conversation_pb";
import { ContactFile, type FileState } from "../../inbox/contact-file";
import { useInbox, useObservable, useSession } from "../session";

export interface OpenContact {
  readonly contact: Contact;
  readonly profile: ContactProfile;
  readonly file: ContactFile;
}

export const ContactContext = createContext<OpenContact | null>(null);

export function useContact(): OpenContact {
  const open = use(ContactContext);
  if (open === null) throw new Error("this section stands in a contact's panel");
  return open;
}

export function useContactFile(contactId: string): {
  file: ContactFile;
  state: FileState;
  open: OpenContact | null;
} {
  const { inbox, contactApi } = useSession();
  const file = useMemo(
    () => new ContactFile(contactId, inbox.store, contactApi, inbox.clock),
    [contactId, inbox, contactApi],
  );
  useEffect(() => {
    void file.load();
    const endLoading = inbox.loadBeside(() => file.load());
    return () => {
      endLoading();
      file.close();
    };
  }, [inbox, file]);
  const state = useObservable(file);
  const contact = useInbox((snapshot) => snapshot.state.contacts.get(contactId));
  const profile = useInbox((snapshot) => snapshot.state.profiles.get(contactId));
  const open = useMemo(
    () => (contact && profile ? { contact, profile, file } : null),
    [contact, profile, file],
  );
  return { file, state, open };
}
