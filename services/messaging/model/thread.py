"""Threads: the order of one conversation's messages, and who may write in it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from chassis.ids import derived_id
from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.model.faults import (
    ConversationInAiMode,
    ConversationInManualMode,
    ModeEpochStale,
)
from services.messaging.model.handover import Handover

ConversationId = NewType("ConversationId", str)


class ConversationMode(enum.Enum):
    """Who answers; values are the names in SQL."""

    AI = "ai"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Hold:
    """A person has a conversation: who of them took it over or wrote last."""

    member_id: str
    since: datetime


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
    manual_until: datetime | None = None
    """When the AI resumes; None in AI mode, under the pin, and where it never does."""
    resume_ai_after: timedelta | None = None
    """How long after a person's last message that is, as set when the AI lost the thread."""
    is_manual_kept: bool = False
    """The pin: people keep it."""
    handover: Handover | None = None
    """While it waits for a person."""
    hold: Hold | None = None
    """Which person has it; None in AI mode, and until one took it or wrote."""


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


def next_hold(thread: Thread, member_id: str, at: datetime) -> Hold:
    """Who has it once a member took it over or wrote; since they first did, until another does."""
    if thread.hold is not None and thread.hold.member_id == member_id:
        return thread.hold
    return Hold(member_id, at)


def next_resume(thread: Thread, at: datetime) -> datetime | None:
    """When the AI resumes, after a person wrote: the time of an armed thread begins anew."""
    if thread.manual_until is None or thread.resume_ai_after is None:
        return None
    return at + thread.resume_ai_after
