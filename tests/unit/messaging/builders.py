"""Threads and messages for tests of rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.model.thread import ConversationId, ConversationMode, Thread

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
CHANNEL = ChannelId("0190a000-0000-7000-8000-000000000001")
CONVERSATION = ConversationId("0190a000-0000-7000-8000-000000000002")


def a_thread(**fields: Any) -> Thread:
    thread = Thread(
        conversation_id=CONVERSATION,
        channel_id=CHANNEL,
        channel_kind=ChannelKind.SIMULATOR,
        external_id="ana",
        customer_name="Ana",
        mode=ConversationMode.MANUAL,
        mode_epoch=1,
        last_seq=0,
        inbound_count=0,
        last_message_time=None,
        create_time=NOON,
        version=1,
    )
    return replace(thread, **fields)
