"""The generated stubs of every service that a key may call, on an asyncio channel."""

from __future__ import annotations

import grpc

from inbox.assistant.v1 import AssistantAuditServiceStub, AssistantServiceStub, KnowledgeServiceStub
from inbox.conversation.v1 import (
    ContactServiceStub,
    ConversationAuditServiceStub,
    ConversationServiceStub,
    PrivacyServiceStub,
    TagServiceStub,
)
from inbox.identity.v1 import IdentityAuditServiceStub, IdentityServiceStub
from inbox.media.v1 import MediaAuditServiceStub, MediaServiceStub
from inbox.messaging.v1 import ChannelServiceStub, MessagingAuditServiceStub, MessagingServiceStub
from inbox.realtime.v1 import RealtimeServiceStub


class AsyncStubs:
    """One stub for each service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.assistant = AssistantServiceStub(channel)
        self.assistant_audit = AssistantAuditServiceStub(channel)
        self.channels = ChannelServiceStub(channel)
        self.contacts = ContactServiceStub(channel)
        self.conversation_audit = ConversationAuditServiceStub(channel)
        self.conversations = ConversationServiceStub(channel)
        self.identity = IdentityServiceStub(channel)
        self.identity_audit = IdentityAuditServiceStub(channel)
        self.knowledge = KnowledgeServiceStub(channel)
        self.media = MediaServiceStub(channel)
        self.media_audit = MediaAuditServiceStub(channel)
        self.messaging = MessagingServiceStub(channel)
        self.messaging_audit = MessagingAuditServiceStub(channel)
        self.privacy = PrivacyServiceStub(channel)
        self.realtime = RealtimeServiceStub(channel)
        self.tags = TagServiceStub(channel)
