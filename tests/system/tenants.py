"""Two workspaces with something of everything, to see whether one can look into the other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from chassis.auth import Role
from chassis.ids import new_id
from chassis.rpc.channel import Metadata
from inbox.assistant import v1 as assistant_v1
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.media import v1 as media_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from tests.contracts import ROLES
from tests.serving import SERVICE_KEY, bearer
from tests.system.services import Services, within

PROJECTED_WITHIN_SECONDS = 15.0
KEY_ROLES = (Role.OWNER, Role.AGENT, Role.READ_ONLY, Role.BOT, Role.SERVICE)


@dataclass
class Tenant:
    """A workspace, what is in it, and who may call."""

    mark: str
    """Stands in everything this workspace wrote, so that it is recognised anywhere."""
    workspace_id: str = ""
    owner_id: str = ""
    member_id: str = ""
    session_token: str = ""
    api_key_id: str = ""
    channel_id: str = ""
    conversation_id: str = ""
    inbound_id: str = ""
    outbound_id: str = ""
    contact_id: str = ""
    tag_id: str = ""
    note_id: str = ""
    media_id: str = ""
    article_id: str = ""
    callers: dict[Role, Metadata] = field(default_factory=dict)
    """An access token per role; the owner's is of the owner in person."""
    owner_key: Metadata = ()
    """An access token of an owner's API key, which outlives what happens to people."""

    def secrets(self) -> list[bytes]:
        """What must never be seen elsewhere."""
        ids = (
            self.owner_id,
            self.member_id,
            self.api_key_id,
            self.channel_id,
            self.conversation_id,
            self.inbound_id,
            self.outbound_id,
            self.tag_id,
            self.contact_id,
            self.note_id,
            self.media_id,
            self.article_id,
        )
        return [self.mark.encode(), *(one.encode() for one in ids)]


class Stubs:
    """Every service's stub."""

    def __init__(self, services: Services) -> None:
        of = services.channel_of
        self.identity = identity_v1.IdentityServiceStub(of("IdentityService"))
        self.channels = messaging_v1.ChannelServiceStub(of("ChannelService"))
        self.messaging = messaging_v1.MessagingServiceStub(of("MessagingService"))
        self.chat = messaging_v1.WebChatServiceStub(of("WebChatService"))
        self.conversation = conversation_v1.ConversationServiceStub(of("ConversationService"))
        self.privacy = conversation_v1.PrivacyServiceStub(of("PrivacyService"))
        self.erasure = messaging_v1.ErasureServiceStub(of("ErasureService"))
        self.tags = conversation_v1.TagServiceStub(of("TagService"))
        self.contacts = conversation_v1.ContactServiceStub(of("ContactService"))
        self.media = media_v1.MediaServiceStub(of("MediaService"))
        self.knowledge = assistant_v1.KnowledgeServiceStub(of("KnowledgeService"))
        self.assistant = assistant_v1.AssistantServiceStub(of("AssistantService"))


async def a_tenant(services: Services, mark: str) -> Tenant:
    """A workspace with a conversation, a file, and an article that the AI knows."""
    stubs, tenant = Stubs(services), Tenant(mark)
    await _people(stubs, tenant)
    await _talk(stubs, tenant)
    await _know(stubs, tenant)
    await _upload(stubs, tenant)
    await _teach(stubs, tenant)
    return tenant


async def _people(stubs: Stubs, tenant: Tenant) -> None:
    created = await stubs.identity.CreateWorkspace(
        identity_v1.CreateWorkspaceRequest(
            request_id=new_id(),
            display_name=tenant.mark,
            owner_email=f"{tenant.mark}@example.com",
            owner_display_name=tenant.mark,
        ),
        metadata=bearer(SERVICE_KEY),
    )
    tenant.workspace_id, tenant.owner_id = created.workspace.id, created.owner.id
    suite = within(tenant.workspace_id)
    link = await stubs.identity.CreateSignInLink(
        identity_v1.CreateSignInLinkRequest(member_id=tenant.owner_id), metadata=suite
    )
    signed_in = await stubs.identity.SignIn(identity_v1.SignInRequest(link_token=link.link_token))
    tenant.session_token = signed_in.session_token
    for role in KEY_ROLES:
        key = await stubs.identity.CreateApiKey(
            identity_v1.CreateApiKeyRequest(
                request_id=new_id(), display_name=tenant.mark, role=ROLES[role]
            ),
            metadata=suite,
        )
        tenant.api_key_id = key.api_key.id
        exchanged = await stubs.identity.ExchangeToken(
            identity_v1.ExchangeTokenRequest(api_key=key.secret)
        )
        tenant.callers[role] = bearer(exchanged.access_token.token)
    tenant.owner_key = tenant.callers[Role.OWNER]
    tenant.callers[Role.OWNER] = bearer(signed_in.access_token.token)
    invited = await stubs.identity.InviteMember(
        identity_v1.InviteMemberRequest(
            request_id=new_id(),
            email=f"{tenant.mark}-2@example.com",
            display_name=tenant.mark,
            role=policy_v1.ROLE_AGENT,
        ),
        metadata=tenant.callers[Role.OWNER],
    )
    tenant.member_id = invited.member.id


async def _talk(stubs: Stubs, tenant: Tenant) -> None:
    owner = tenant.callers[Role.OWNER]
    channel = await stubs.channels.CreateChannel(
        messaging_v1.CreateChannelRequest(
            request_id=new_id(),
            kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
            display_name=tenant.mark,
            web_chat=messaging_v1.WebChatSettings(greeting=tenant.mark),
        ),
        metadata=owner,
    )
    tenant.channel_id = channel.channel.id
    opened = await stubs.chat.OpenSession(
        messaging_v1.OpenSessionRequest(channel_id=tenant.channel_id, display_name=tenant.mark)
    )
    tenant.conversation_id = opened.conversation_id
    tenant.callers[Role.VISITOR] = bearer(opened.access_token)
    await stubs.chat.PostMessage(
        messaging_v1.PostMessageRequest(client_message_id=new_id(), text=tenant.mark),
        metadata=tenant.callers[Role.VISITOR],
    )
    await stubs.messaging.SetMode(
        messaging_v1.SetModeRequest(
            conversation_id=tenant.conversation_id,
            mode=messaging_v1.CONVERSATION_MODE_MANUAL,
            request_id=new_id(),
        ),
        metadata=owner,
    )
    sent = await stubs.messaging.SendMessage(
        messaging_v1.SendMessageRequest(
            conversation_id=tenant.conversation_id, client_message_id=new_id(), text=tenant.mark
        ),
        metadata=owner,
    )
    tenant.outbound_id = sent.message.id
    listed = await stubs.messaging.ListMessages(
        messaging_v1.ListMessagesRequest(conversation_id=tenant.conversation_id), metadata=owner
    )
    tenant.inbound_id = listed.messages[-1].id
    async with asyncio.timeout(PROJECTED_WITHIN_SECONDS):
        while not (await _is_listed(stubs, tenant) and await _is_found(stubs, tenant)):
            await asyncio.sleep(0.05)
    tag = await stubs.tags.CreateTag(
        conversation_v1.CreateTagRequest(request_id=new_id(), display_name=tenant.mark),
        metadata=owner,
    )
    tenant.tag_id = tag.tag.id
    await stubs.conversation.TagConversation(
        conversation_v1.TagConversationRequest(
            conversation_id=tenant.conversation_id, tag=tenant.tag_id, request_id=new_id()
        ),
        metadata=owner,
    )
    await stubs.conversation.SaveDraft(
        conversation_v1.SaveDraftRequest(
            conversation_id=tenant.conversation_id, text=tenant.mark, request_id=new_id()
        ),
        metadata=owner,
    )


async def _know(stubs: Stubs, tenant: Tenant) -> None:
    owner = tenant.callers[Role.OWNER]
    got = await stubs.conversation.GetConversation(
        conversation_v1.GetConversationRequest(conversation_id=tenant.conversation_id),
        metadata=owner,
    )
    tenant.contact_id = got.conversation.contact.id
    await stubs.contacts.SetContactField(
        conversation_v1.SetContactFieldRequest(
            contact_id=tenant.contact_id, request_id=new_id(), key="city", value=tenant.mark
        ),
        metadata=owner,
    )
    created = await stubs.contacts.CreateContactNote(
        conversation_v1.CreateContactNoteRequest(
            contact_id=tenant.contact_id, request_id=new_id(), body=tenant.mark
        ),
        metadata=owner,
    )
    tenant.note_id = created.note.id


async def _is_listed(stubs: Stubs, tenant: Tenant) -> bool:
    page = await stubs.conversation.ListConversations(
        conversation_v1.ListConversationsRequest(), metadata=tenant.callers[Role.OWNER]
    )
    return any(one.id == tenant.conversation_id for one in page.conversations)


async def _is_found(stubs: Stubs, tenant: Tenant) -> bool:
    page = await stubs.messaging.SearchMessages(
        messaging_v1.SearchMessagesRequest(query=tenant.mark),
        metadata=tenant.callers[Role.OWNER],
    )
    return {tenant.inbound_id, tenant.outbound_id} <= {one.message_id for one in page.messages}


async def _upload(stubs: Stubs, tenant: Tenant) -> None:
    content = tenant.mark.encode()

    async def parts() -> Any:
        yield media_v1.UploadRequest(
            header=media_v1.UploadHeader(
                request_id=new_id(),
                file_name=f"{tenant.mark}.txt",
                content_type="text/plain",
                size_bytes=len(content),
            )
        )
        yield media_v1.UploadRequest(chunk=content)

    uploaded = await stubs.media.Upload(parts(), metadata=tenant.callers[Role.OWNER], timeout=20)
    tenant.media_id = uploaded.media.id


async def _teach(stubs: Stubs, tenant: Tenant) -> None:
    created = await stubs.knowledge.CreateArticle(
        assistant_v1.CreateArticleRequest(
            request_id=new_id(), title=tenant.mark, body=f"All about {tenant.mark}."
        ),
        metadata=tenant.callers[Role.OWNER],
    )
    tenant.article_id = created.article.id
    await stubs.assistant.UpdateAssistantSettings(
        assistant_v1.UpdateAssistantSettingsRequest(
            request_id=new_id(), instructions=tenant.mark, api_key=tenant.mark
        ),
        metadata=tenant.callers[Role.OWNER],
    )
