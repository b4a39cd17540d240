"""Chat boxes in SQL: finding the box's channel, and what a visitor has acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.messaging.model.channel import ChannelKind, ChannelState, WebChatSettings
from services.messaging.model.message import MessageId
from services.messaging.model.web_chat import Marks, NewlyAcknowledged

FIND_ROUTE = "SELECT workspace_id, kind FROM channel_routes WHERE channel_id = $1"
READ_BOX = """
SELECT display_name, state, settings FROM channels WHERE workspace_id = $1 AND id = $2
"""
READ_MARKS = """
SELECT delivered_up_to_seq, read_up_to_seq FROM web_chat_visitors
WHERE workspace_id = $1 AND conversation_id = $2
"""
SAVE_MARKS = """
INSERT INTO web_chat_visitors (
    workspace_id, conversation_id, delivered_up_to_seq, read_up_to_seq, update_time)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    delivered_up_to_seq = excluded.delivered_up_to_seq,
    read_up_to_seq = excluded.read_up_to_seq, update_time = excluded.update_time
"""
# The latest attempt speaks for the box: it shows a message once, whichever attempt it was.
ACKNOWLEDGED = """
SELECT m.id, m.attempt_count FROM messages m
WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.seq > $3 AND m.seq <= $4
  AND m.attempt_count > 0
ORDER BY m.seq
"""


@dataclass(frozen=True, slots=True)
class ChatBox:
    """A chat box's channel, as far as its visitors' page needs it."""

    display_name: str
    state: ChannelState
    settings: WebChatSettings


async def find_route(
    transaction: Transaction, channel_id: str
) -> tuple[WorkspaceId, ChannelKind] | None:
    """Where a channel belongs; needs the worker's role, outside any workspace."""
    row = await transaction.raw.fetchrow(FIND_ROUTE, channel_id)
    if row is None:
        return None
    return WorkspaceId(str(row["workspace_id"])), ChannelKind(row["kind"])


async def read_box(transaction: Transaction, channel_id: str) -> ChatBox | None:
    """The chat box, if it is one of this workspace."""
    row = await transaction.raw.fetchrow(READ_BOX, transaction.workspace_id, channel_id)
    if row is None:
        return None
    settings: dict[str, Any] = orjson.loads(row["settings"])
    return ChatBox(
        display_name=row["display_name"],
        state=ChannelState(row["state"]),
        settings=WebChatSettings(
            allowed_origins=tuple(settings.get("allowed_origins", ())),
            greeting=settings.get("greeting", ""),
            accent_color=settings.get("accent_color", ""),
        ),
    )


async def read_marks(transaction: Transaction, conversation_id: str) -> Marks:
    """What the visitor has acknowledged so far."""
    row = await transaction.raw.fetchrow(READ_MARKS, transaction.workspace_id, conversation_id)
    return Marks() if row is None else Marks(row[0], row[1])


async def save_marks(
    transaction: Transaction, conversation_id: str, marks: Marks, *, at: datetime
) -> None:
    """Write the marks; the caller holds the thread's lock."""
    await transaction.raw.execute(
        SAVE_MARKS,
        transaction.workspace_id,
        conversation_id,
        marks.delivered_up_to_seq,
        marks.read_up_to_seq,
        at,
    )


async def acknowledged_messages(
    transaction: Transaction, conversation_id: str, stretch: NewlyAcknowledged
) -> Sequence[tuple[MessageId, int]]:
    """Outbound messages of a stretch, each with its latest attempt."""
    rows = await transaction.raw.fetch(
        ACKNOWLEDGED,
        transaction.workspace_id,
        conversation_id,
        stretch.after_seq,
        stretch.up_to_seq,
    )
    return [(MessageId(str(row[0])), row[1]) for row in rows]
