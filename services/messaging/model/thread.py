"""Threads: the order of one conversation's messages, and who may write in it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType

from chassis.ids import derived_id
from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.model.faults import (
    ConversationInAiMode,
    ConversationInManualMode,
    ModeEpochStale,
)

ConversationId = NewType("ConversationId", str)


class ConversationMode(enum.Enum):
    """Who answers; values are the names in SQL."""

    AI = "ai"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Thread:
    """The messages of one conversation with one customer on one channel."""

    conversation_id: ConversationId
    channel_id: ChannelId
    channel_kind: ChannelKind
    external_id: str
    customer_name: str
    mode: ConversationMode
    mode_epoch: int
    last_seq: int
    inbound_count: int
    last_message_time: datetime | None
    create_time: datetime
    version: int


def conversation_id_of(channel_id: ChannelId, external_id: str) -> ConversationId:
    """The conversation's id, known before its first message.

    It is derived, so that two replicas that meet a new customer at once open one thread.
    """
    return ConversationId(derived_id("conversation", channel_id, external_id))


def refuse_unless_person_may_write(thread: Thread) -> None:
    """Raises: ConversationInAiMode."""
    if thread.mode is not ConversationMode.MANUAL:
        raise ConversationInAiMode(conversation_id=thread.conversation_id)


def refuse_unless_ai_may_write(thread: Thread, mode_epoch: int) -> None:
    """The AI writes only under the epoch it believes in (invariant I15).

    Raises: ConversationInManualMode, ModeEpochStale.
    """
    if thread.mode is not ConversationMode.AI:
        raise ConversationInManualMode(conversation_id=thread.conversation_id)
    if thread.mode_epoch != mode_epoch:
        raise ModeEpochStale(
            conversation_id=thread.conversation_id,
            given_mode_epoch=mode_epoch,
            present_mode_epoch=thread.mode_epoch,
        )


def switched(thread: Thread, mode: ConversationMode, *, expected_mode_epoch: int) -> Thread:
    """The thread in that mode; the same thread when it is in it already. 0 expects nothing.

    Raises: ModeEpochStale.
    """
    if expected_mode_epoch and expected_mode_epoch != thread.mode_epoch:
        raise ModeEpochStale(
            conversation_id=thread.conversation_id,
            given_mode_epoch=expected_mode_epoch,
            present_mode_epoch=thread.mode_epoch,
        )
    if thread.mode is mode:
        return thread
    return replace(thread, mode=mode, mode_epoch=thread.mode_epoch + 1, version=thread.version + 1)
