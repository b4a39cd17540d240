"""The generated stubs of every service that a key may call, on a synchronous channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from inbox.assistant.v1.assistant_audit_service_sync import AssistantAuditServiceStub
    from inbox.assistant.v1.assistant_service_sync import AssistantServiceStub
    from inbox.assistant.v1.knowledge_service_sync import KnowledgeServiceStub
    from inbox.conversation.v1.contact_service_sync import ContactServiceStub
    from inbox.conversation.v1.conversation_audit_service_sync import ConversationAuditServiceStub
    from inbox.conversation.v1.conversation_service_sync import ConversationServiceStub
    from inbox.conversation.v1.privacy_service_sync import PrivacyServiceStub
    from inbox.conversation.v1.tag_service_sync import TagServiceStub
    from inbox.identity.v1.identity_audit_service_sync import IdentityAuditServiceStub
    from inbox.identity.v1.identity_service_sync import IdentityServiceStub
    from inbox.media.v1.media_audit_service_sync import MediaAuditServiceStub
    from inbox.media.v1.media_service_sync import MediaServiceStub
    from inbox.messaging.v1.channel_service_sync import ChannelServiceStub
    from inbox.messaging.v1.messaging_audit_service_sync import MessagingAuditServiceStub
    from inbox.messaging.v1.messaging_service_sync import MessagingServiceStub
    from inbox.realtime.v1.realtime_service_sync import RealtimeServiceStub
else:
    from inbox.assistant.v1 import (
        AssistantAuditServiceStub,
        AssistantServiceStub,
        KnowledgeServiceStub,
    )
    from inbox.conversation.v1 import (
        ContactServiceStub,
        ConversationAuditServiceStub,
        ConversationServiceStub,
        PrivacyServiceStub,
        TagServiceStub,
    )
    from inbox.identity.v1 import IdentityAuditServiceStub, IdentityServiceStub
    from inbox.media.v1 import MediaAuditServiceStub, MediaServiceStub
    from inbox.messaging.v1 import (
        ChannelServiceStub,
        MessagingAuditServiceStub,
        MessagingServiceStub,
    )
    from inbox.realtime.v1 import RealtimeServiceStub


class Stubs:
    """One stub for each service."""

    def __init__(self, channel: grpc.Channel) -> None:
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
