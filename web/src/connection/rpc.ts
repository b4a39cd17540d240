/** The services behind the gateway, called by the Connect protocol with the session's cookie. */

import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { ContactService } from "../gen/inbox/conversation/v1/contact_service_pb";
import { ConversationService } from "../gen/inbox/conversation/v1/conversation_service_pb";
import { TagService } from "../gen/inbox/conversation/v1/tag_service_pb";
import { IdentityService } from "../gen/inbox/identity/v1/identity_service_pb";
import { ChannelService } from "../gen/inbox/messaging/v1/channel_service_pb";
import { MessagingService } from "../gen/inbox/messaging/v1/messaging_service_pb";

/** Every call has a deadline; the services refuse one without. */
const DEADLINE_MILLIS = 10_000;

/** A header that a foreign site cannot set without asking first. */
export const CLIENT_HEADER = { "x-inbox-client": "web" } as const;

const sayWhoWeAre: Interceptor = (next) => (request) => {
  for (const [name, value] of Object.entries(CLIENT_HEADER)) request.header.set(name, value);
  return next(request);
};

export interface Services {
  identity: Client<typeof IdentityService>;
  conversations: Client<typeof ConversationService>;
  contacts: Client<typeof ContactService>;
  tags: Client<typeof TagService>;
  messaging: Client<typeof MessagingService>;
  channels: Client<typeof ChannelService>;
  /** Of a service that only some screens ask; they bring its description along. */
  of<S extends DescService>(service: S): Client<S>;
}

export function connectServices(origin: string): Services {
  const transport = createConnectTransport({
    baseUrl: origin,
    useBinaryFormat: true,
    defaultTimeoutMs: DEADLINE_MILLIS,
    interceptors: [sayWhoWeAre],
  });
  return {
    identity: createClient(IdentityService, transport),
    conversations: createClient(ConversationService, transport),
    contacts: createClient(ContactService, transport),
    tags: createClient(TagService, transport),
    messaging: createClient(MessagingService, transport),
    channels: createClient(ChannelService, transport),
    of: (service) => createClient(service, transport),
  };
}
