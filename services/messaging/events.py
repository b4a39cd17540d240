"""The facts messaging publishes; stored in the transaction of the change they tell of."""

from __future__ import annotations

from google.protobuf.message import Message as ProtoMessage

from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent, subject
from inbox.messaging import v1
from services.messaging.mapping.channels import channel_to_proto
from services.messaging.mapping.messages import (
    author_to_proto,
    message_to_proto,
    thread_to_proto,
)
from services.messaging.model.channel import Channel
from services.messaging.model.message import Author, Message
from services.messaging.model.thread import Thread

DOMAIN = "messaging"
STREAM = "INBOX_MESSAGING"

PUBLISHES: dict[str, type[ProtoMessage]] = {
    "thread_opened": v1.ThreadOpened,
    "message_created": v1.MessageCreated,
    "delivery_status_changed": v1.DeliveryStatusChanged,
    "mode_changed": v1.ModeChanged,
    "channel_changed": v1.ChannelChanged,
    "thread_erased": v1.ThreadErased,
}
"""Event name in the subject → message type of the payload."""


def thread_opened(workspace_id: WorkspaceId, thread: Thread) -> OutgoingEvent:
    """A customer wrote for the first time."""
    payload = v1.ThreadOpened(thread=thread_to_proto(thread))
    return _event("thread_opened", workspace_id, thread.conversation_id, payload)


def message_created(workspace_id: WorkspaceId, message: Message, thread: Thread) -> OutgoingEvent:
    """A message was committed; the thread is as it is with it."""
    payload = v1.MessageCreated(message=message_to_proto(message), thread=thread_to_proto(thread))
    return _event("message_created", workspace_id, thread.conversation_id, payload)


def delivery_status_changed(workspace_id: WorkspaceId, message: Message) -> OutgoingEvent:
    """An outbound message got further, failed, or is tried again."""
    payload = v1.DeliveryStatusChanged(message=message_to_proto(message))
    return _event("delivery_status_changed", workspace_id, message.conversation_id, payload)


def mode_changed(workspace_id: WorkspaceId, thread: Thread, author: Author) -> OutgoingEvent:
    """Somebody else answers from now on."""
    payload = v1.ModeChanged(thread=thread_to_proto(thread), author=author_to_proto(author))
    return _event("mode_changed", workspace_id, thread.conversation_id, payload)


def channel_changed(workspace_id: WorkspaceId, channel: Channel) -> OutgoingEvent:
    """A channel was created or changed."""
    payload = v1.ChannelChanged(channel=channel_to_proto(channel))
    return _event("channel_changed", workspace_id, channel.id, payload)


def thread_erased(workspace_id: WorkspaceId, conversation_id: str, last_seq: int) -> OutgoingEvent:
    """Everything that was said in a conversation was erased."""
    payload = v1.ThreadErased(conversation_id=conversation_id, last_seq=last_seq)
    return _event("thread_erased", workspace_id, conversation_id, payload)


def _event(
    name: str, workspace_id: WorkspaceId, ordering_key: str, payload: ProtoMessage
) -> OutgoingEvent:
    return OutgoingEvent(
        subject=subject(DOMAIN, name, workspace_id),
        workspace_id=workspace_id,
        ordering_key=ordering_key,
        payload=payload.SerializeToString(),
    )
