"""What an outsider may try with every RPC: a request that names another workspace's things.

A new RPC has to be entered here, else the tests that walk this table say its name.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from inbox.realtime import v1 as realtime_v1
from tests.system.tenants import Tenant

OLD_PASSWORD_IS_UNSET = ""


class Hears(enum.Enum):
    """What an outsider is to hear."""

    NOT_FOUND = "it does not exist, as far as they can tell"
    OWN = "an answer about their own workspace alone"
    REFUSED_ITEM = "the refusal stands in the answer"
    NOTHING = "only the suite's own processes may ask"
    OPEN = "anonymous: what the request itself carries is the credential"


@dataclass(frozen=True)
class Probe:
    """One attempt."""

    hears: Hears
    fields: Callable[[Tenant], dict[str, Any]]


def _probe(hears: Hears, **fields: Any) -> Probe:
    """A value that is callable is asked for what the other workspace has."""

    def fill(victim: Tenant) -> dict[str, Any]:
        return {name: value(victim) if callable(value) else value for name, value in fields.items()}

    return Probe(hears, fill)


def _id(name: str) -> Callable[[Tenant], str]:
    return lambda victim: str(getattr(victim, name))


def _fresh(_: Tenant) -> str:
    return new_id()


def _item(victim: Tenant) -> list[messaging_v1.SendMessagesItem]:
    request = messaging_v1.SendMessageRequest(
        conversation_id=victim.conversation_id, client_message_id=new_id(), text="from outside"
    )
    return [messaging_v1.SendMessagesItem(ref=1, request=request)]


CONVERSATION = {"conversation_id": _id("conversation_id")}
CHANNEL = {"channel_id": _id("channel_id")}
MESSAGE = {"message_id": _id("outbound_id")}
ARTICLE = {"article_id": _id("article_id")}
CONTACT = {"contact_id": _id("contact_id")}
TAG = {"tag": _id("tag_id")}
CONTACT = {"contact_id": _id("contact_id")}
NOTE = {"note_id": _id("note_id")}
MEMBER = {"member_id": _id("member_id")}
REQUEST = {"request_id": _fresh}
FOREIGN, OWN, NOTHING, OPEN = Hears.NOT_FOUND, Hears.OWN, Hears.NOTHING, Hears.OPEN

PROBES: dict[str, Probe] = {
    # identity
    "IdentityService/SignIn": _probe(OPEN),
    "IdentityService/SignOut": _probe(OWN, session_token=_id("session_token")),
    "IdentityService/GetSelf": _probe(OWN),
    "IdentityService/CreateWorkspace": _probe(NOTHING),
    "IdentityService/CreateSignInLink": _probe(FOREIGN, **MEMBER),
    "IdentityService/CreateApiKey": _probe(
        OWN, **REQUEST, display_name="theirs", role=policy_v1.ROLE_AGENT
    ),
    "IdentityService/RevokeApiKey": _probe(FOREIGN, api_key_id=_id("api_key_id")),
    "IdentityService/ListApiKeys": _probe(OWN),
    "IdentityService/ListMembers": _probe(OWN),
    "IdentityService/GetMember": _probe(FOREIGN, **MEMBER),
    "IdentityService/InviteMember": _probe(
        OWN,
        **REQUEST,
        email=lambda victim: f"{new_id()}@example.com",
        display_name="theirs",
        role=policy_v1.ROLE_AGENT,
    ),
    "IdentityService/AcceptInvite": _probe(OPEN),
    "IdentityService/UpdateMember": _probe(FOREIGN, **MEMBER, display_name="changed"),
    "IdentityService/RemoveMember": _probe(FOREIGN, **MEMBER),
    "IdentityService/ChangePassword": _probe(
        OWN, current_password=OLD_PASSWORD_IS_UNSET, new_password="a good password"
    ),
    "IdentityService/GetJwks": _probe(OPEN),
    "IdentityService/ExchangeToken": _probe(OPEN),
    "IdentityService/CreateTicket": _probe(OWN),
    "IdentityService/IssueVisitorToken": _probe(
        OWN, channel_id=_fresh, external_id="somebody", conversation_id=_fresh
    ),
    "IdentityService/IssueBotToken": _probe(OWN, display_name="theirs"),
    # messaging
    "MessagingService/SendMessage": _probe(
        FOREIGN, **CONVERSATION, client_message_id=_fresh, text="from outside"
    ),
    "MessagingService/SendMessages": _probe(Hears.REFUSED_ITEM, items=_item),
    "MessagingService/RetryMessage": _probe(FOREIGN, **MESSAGE, **REQUEST),
    "MessagingService/GetMessage": _probe(FOREIGN, **MESSAGE),
    "MessagingService/ListMessages": _probe(FOREIGN, **CONVERSATION),
    "MessagingService/GetThread": _probe(FOREIGN, **CONVERSATION),
    "MessagingService/SetMode": _probe(
        FOREIGN, **CONVERSATION, **REQUEST, mode=messaging_v1.CONVERSATION_MODE_AI
    ),
    "MessagingService/KeepManual": _probe(FOREIGN, **CONVERSATION, **REQUEST, is_kept=True),
    "MessagingService/HandOver": _probe(
        FOREIGN, **CONVERSATION, **REQUEST, reason=messaging_v1.HANDOVER_REASON_OTHER
    ),
    "MessagingService/ListReceipts": _probe(FOREIGN, **MESSAGE),
    "MessagingService/SearchMessages": _probe(OWN, query=_id("mark")),
    "MessagingService/GetMessagingSettings": _probe(OWN),
    "MessagingService/UpdateMessagingSettings": _probe(
        OWN, default_mode=messaging_v1.CONVERSATION_MODE_AI
    ),
    "ErasureService/EraseThread": _probe(OWN, **CONVERSATION, **REQUEST),
    "ChannelService/CreateChannel": _probe(
        OWN,
        **REQUEST,
        kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
        display_name="theirs",
        web_chat=messaging_v1.WebChatSettings(),
    ),
    "ChannelService/GetChannel": _probe(FOREIGN, **CHANNEL),
    "ChannelService/ListChannels": _probe(OWN),
    "ChannelService/UpdateChannel": _probe(FOREIGN, **CHANNEL, display_name="changed"),
    "ChannelService/DisconnectChannel": _probe(FOREIGN, **CHANNEL),
    "ChannelService/TestChannel": _probe(FOREIGN, **CHANNEL),
    "ChannelService/IngestWebhook": _probe(NOTHING),
    "ChannelService/ListDeadWebhooks": _probe(FOREIGN, **CHANNEL, include_raw=True),
    "ChannelService/RedriveWebhooks": _probe(FOREIGN, **CHANNEL, **REQUEST),
    "WebChatService/GetEmbedding": _probe(OPEN),
    "WebChatService/OpenSession": _probe(OPEN),
    "WebChatService/PostMessage": _probe(OWN, client_message_id=_fresh, text="of their own"),
    "WebChatService/ListMessages": _probe(OWN),
    "WebChatService/AcknowledgeMessages": _probe(OWN, read_up_to_seq=1),
    # conversation
    "ConversationService/ListConversations": _probe(OWN, **CHANNEL),
    "ConversationService/GetConversation": _probe(FOREIGN, **CONVERSATION),
    "ConversationService/SolveConversation": _probe(FOREIGN, **CONVERSATION, **REQUEST),
    "ConversationService/ReopenConversation": _probe(FOREIGN, **CONVERSATION, **REQUEST),
    "ConversationService/MoveConversation": _probe(
        FOREIGN, **CONVERSATION, **REQUEST, folder=conversation_v1.FOLDER_SPAM
    ),
    "ConversationService/TagConversation": _probe(
        FOREIGN, **CONVERSATION, **REQUEST, tag="priority"
    ),
    "ConversationService/UntagConversation": _probe(FOREIGN, **CONVERSATION, **REQUEST, **TAG),
    "ConversationService/AssignConversation": _probe(FOREIGN, **CONVERSATION, **REQUEST),
    "ConversationService/SaveDraft": _probe(FOREIGN, **CONVERSATION, **REQUEST, text="theirs"),
    "ConversationService/DeleteDraft": _probe(FOREIGN, **CONVERSATION, **REQUEST),
    "ConversationService/MarkRead": _probe(FOREIGN, **CONVERSATION, **REQUEST, read_ordinal=1),
    "ConversationService/MarkUnread": _probe(
        FOREIGN, **CONVERSATION, **REQUEST, from_ordinal=1, expected_version=1
    ),
    "ConversationService/GetCounters": _probe(OWN),
    "ConversationService/GetInboxSettings": _probe(OWN),
    "ConversationService/UpdateInboxSettings": _probe(OWN, **REQUEST, reopens_on_inbound=False),
    "PrivacyService/ExportContact": _probe(FOREIGN, **CONTACT),
    "PrivacyService/EraseContact": _probe(FOREIGN, **CONTACT, **REQUEST),
    "PrivacyService/GetErasure": _probe(FOREIGN, erasure_id=_fresh),
    "TagService/ListTags": _probe(OWN),
    "TagService/CreateTag": _probe(OWN, **REQUEST, display_name=_fresh),
    "TagService/UpdateTag": _probe(FOREIGN, **REQUEST, **TAG, display_name="changed"),
    "TagService/DeleteTag": _probe(FOREIGN, **REQUEST, **TAG),
    "ContactService/GetContact": _probe(FOREIGN, **CONTACT),
    "ContactService/ListContacts": _probe(OWN),
    "ContactService/SearchContacts": _probe(OWN, query=_id("mark")),
    "ContactService/ListContactConversations": _probe(FOREIGN, **CONTACT),
    "ContactService/UpdateContact": _probe(
        FOREIGN, **CONTACT, **REQUEST, display_name="changed", email="changed@example.com"
    ),
    "ContactService/MergeContacts": _probe(FOREIGN, **CONTACT, **REQUEST, merged_contact_id=_fresh),
    "ContactService/TagContact": _probe(FOREIGN, **CONTACT, **REQUEST, **TAG),
    "ContactService/UntagContact": _probe(FOREIGN, **CONTACT, **REQUEST, **TAG),
    "ContactService/SetContactField": _probe(
        FOREIGN, **CONTACT, **REQUEST, key="city", value="changed"
    ),
    "ContactService/DeleteContactField": _probe(FOREIGN, **CONTACT, **REQUEST, key="city"),
    "ContactService/RecordConsent": _probe(
        FOREIGN,
        **CONTACT,
        **REQUEST,
        purpose="marketing",
        state=conversation_v1.CONSENT_STATE_GRANTED,
        source="changed",
    ),
    "ContactService/ListContactNotes": _probe(FOREIGN, **CONTACT),
    "ContactService/CreateContactNote": _probe(FOREIGN, **CONTACT, **REQUEST, body="theirs"),
    "ContactService/UpdateContactNote": _probe(FOREIGN, **NOTE, **REQUEST, body="changed"),
    "ContactService/DeleteContactNote": _probe(FOREIGN, **NOTE, **REQUEST),
    # media
    "MediaService/Upload": _probe(
        OWN,
        header=lambda victim: {
            "request_id": new_id(),
            "file_name": "empty.txt",
            "content_type": "text/plain",
            "size_bytes": 0,
        },
    ),
    "MediaService/GetMedia": _probe(FOREIGN, media_id=_id("media_id")),
    "MediaService/Download": _probe(FOREIGN, media_id=_id("media_id")),
    "MediaService/CreateLink": _probe(FOREIGN, media_id=_id("media_id")),
    "MediaService/ResolveLink": _probe(NOTHING, link="none"),
    # assistant
    "KnowledgeService/CreateArticle": _probe(OWN, **REQUEST, title="theirs"),
    "KnowledgeService/GetArticle": _probe(FOREIGN, **ARTICLE),
    "KnowledgeService/UpdateArticle": _probe(FOREIGN, **ARTICLE, **REQUEST, title="changed"),
    "KnowledgeService/DeleteArticle": _probe(FOREIGN, **ARTICLE, **REQUEST),
    "KnowledgeService/ListArticles": _probe(OWN),
    "KnowledgeService/SearchArticles": _probe(OWN, query=lambda victim: victim.mark),
    "AssistantService/GetAssistantSettings": _probe(OWN),
    "AssistantService/UpdateAssistantSettings": _probe(OWN, **REQUEST, display_name="theirs"),
    "AssistantService/ListTurns": _probe(OWN, **CONVERSATION),
    "AssistantService/ForgetConversations": _probe(
        OWN, conversation_ids=lambda victim: [victim.conversation_id], **REQUEST
    ),
    # realtime
    "RealtimeService/Watch": _probe(OWN),
    "RealtimeService/WatchWorkspaces": _probe(
        NOTHING,
        begin=lambda victim: [
            realtime_v1.WorkspaceToWatch(ref=1, workspace_id=victim.workspace_id)
        ],
    ),
    "RealtimeService/PublishPresence": _probe(OWN, **CONVERSATION, is_typing=True),
    "RealtimeService/PublishAiActivity": _probe(OWN, **CONVERSATION, is_writing=True),
    # every service with data
    **{
        f"{domain}AuditService/{method}": _probe(OWN)
        for domain in ("Assistant", "Conversation", "Identity", "Media", "Messaging")
        for method in ("ListAuditEntries", "VerifyAuditChain")
    },
    # every publishing or consuming service
    "EventLogService/ReadEvents": _probe(NOTHING, from_gpos=1),
    "EventLogService/ReadSnapshot": _probe(NOTHING),
    "DeadLetterService/ListDeadLetters": _probe(NOTHING),
    "DeadLetterService/RedriveDeadLetters": _probe(NOTHING),
}
