"""Rows to model objects, by hand: columns are read by position, which is fast and explicit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import asyncpg

from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.model.delivery import (
    AttemptState,
    DeliveryStatus,
    Failure,
    FailureReason,
    ReceiptSource,
)
from services.messaging.model.message import (
    Author,
    AuthorKind,
    Direction,
    Message,
    MessageId,
    Receipt,
)
from services.messaging.model.search import SearchableMessage
from services.messaging.model.thread import ConversationId, ConversationMode, Hold, Thread
from services.messaging.store.contents import content_of
from services.messaging.store.notes import handover_of, note_of

Row = asyncpg.Record | tuple[Any, ...]

THREAD_COLUMNS = (
    "t.conversation_id, t.channel_id, t.channel_kind, t.external_id, t.customer_name, t.mode, "
    "t.mode_epoch, t.last_seq, t.inbound_count, t.last_message_time, t.create_time, t.version, "
    "t.manual_until, t.resume_ai_after, t.is_manual_kept, t.handover::text, "
    "t.hold_member_id, t.hold_since"
)
THREAD_WIDTH = 18
MESSAGE_COLUMNS = (
    "m.id, m.conversation_id, m.seq, m.client_message_id, m.direction, m.author_kind, "
    "m.author_id, m.author_display_name, m.text, m.inbound_ordinal, m.create_time, "
    "m.delivery_status, m.failure_reason, m.failure_platform_code, m.failure_is_retryable, "
    "m.failure_may_have_arrived, m.attempt_count, m.platform_time, m.version, "
    "m.system_note::text, m.content::text"
)
ATTEMPT_COLUMNS = (
    "a.message_id, a.number, a.delivery_status, a.is_cancelled, a.failure_reason, "
    "a.failure_platform_code, a.failure_is_retryable, a.failure_may_have_arrived"
)
RECEIPT_COLUMNS = (
    "r.id, r.message_id, r.attempt_number, r.delivery_status, r.source, r.create_time, "
    "r.platform_time, r.platform_message_id, r.failure_reason, r.failure_platform_code, "
    "r.failure_is_retryable, r.failure_may_have_arrived, r.author_kind, r.author_id, "
    "r.author_display_name, r.answer_millis"
)
# Of a message `m`, with the channel from its thread or its text `t`. Its files are found by name.
SEARCHABLE_COLUMNS = (
    "m.id, m.conversation_id, m.seq, t.channel_id, m.direction, m.author_kind, m.author_id, "
    "m.author_display_name, m.create_time, CASE WHEN m.content IS NULL THEN m.text ELSE ("
    "SELECT concat_ws(' ', nullif(m.text, ''), string_agg(f ->> 'file_name', ' ')) "
    "FROM jsonb_array_elements(m.content -> 'attachments') AS f) END AS text"
)

KINDS = {kind.value: kind for kind in ChannelKind}
MODES = {mode.value: mode for mode in ConversationMode}
DIRECTIONS = {direction.value: direction for direction in Direction}
AUTHOR_KINDS = {kind.value: kind for kind in AuthorKind}
STATUSES = {status.name.lower(): status for status in DeliveryStatus}
STATUS_NAMES = {status: name for name, status in STATUSES.items()}
REASONS = {reason.value: reason for reason in FailureReason}
SOURCES = {source.value: source for source in ReceiptSource}


def thread_of(row: Row) -> Thread:
    """A thread from THREAD_COLUMNS at the start of a row."""
    return Thread(
        ConversationId(str(row[0])),
        ChannelId(str(row[1])),
        KINDS[row[2]],
        row[3],
        row[4],
        MODES[row[5]],
        row[6],
        row[7],
        row[8],
        row[9],
        row[10],
        row[11],
        row[12],
        row[13],
        row[14],
        None if row[15] is None else handover_of(row[15]),
        None if row[16] is None else Hold(row[16], row[17]),
    )


def message_of(row: Row) -> Message:
    """A message from MESSAGE_COLUMNS at the start of a row."""
    status = row[11]
    return Message(
        MessageId(str(row[0])),
        ConversationId(str(row[1])),
        row[2],
        str(row[3]),
        DIRECTIONS[row[4]],
        Author(AUTHOR_KINDS[row[5]], row[6], row[7]),
        row[8],
        row[9],
        row[10],
        None if status is None else STATUSES[status],
        None if row[12] is None else failure_of(row, 12),
        row[16],
        row[17],
        row[18],
        None if row[19] is None else note_of(row[19]),
        *(((), None) if row[20] is None else content_of(row[20])),
    )


def attempt_of(row: Row) -> AttemptState:
    """An attempt from ATTEMPT_COLUMNS at the start of a row; row[0] is its message."""
    return AttemptState(
        number=row[1],
        status=STATUSES[row[2]],
        is_cancelled=row[3],
        failure=None if row[4] is None else failure_of(row, 4),
    )


def receipt_of(row: Row) -> Receipt:
    """A receipt from RECEIPT_COLUMNS at the start of a row."""
    return Receipt(
        id=str(row[0]),
        message_id=MessageId(str(row[1])),
        attempt_number=row[2],
        status=STATUSES[row[3]],
        source=SOURCES[row[4]],
        create_time=row[5],
        platform_time=row[6],
        platform_message_id=row[7] or "",
        failure=None if row[8] is None else failure_of(row, 8),
        author=None if row[12] is None else Author(AUTHOR_KINDS[row[12]], row[13], row[14]),
        answer_millis=row[15],
    )


def searchable_of(row: Row) -> SearchableMessage:
    """A message from SEARCHABLE_COLUMNS at the start of a row."""
    return SearchableMessage(
        MessageId(str(row[0])),
        ConversationId(str(row[1])),
        row[2],
        ChannelId(str(row[3])),
        DIRECTIONS[row[4]],
        Author(AUTHOR_KINDS[row[5]], row[6], row[7]),
        row[8],
        row[9],
    )


def failure_of(row: Row, start: int) -> Failure:
    """A failure from its four columns, the first of which is not null."""
    return Failure(REASONS[row[start]], row[start + 1], row[start + 2], row[start + 3])


FailureColumns = tuple[list[str | None], list[str | None], list[bool | None], list[bool | None]]


def failure_columns(failures: Iterable[Failure | None]) -> FailureColumns:
    """Failures as the four arrays that `unnest` takes."""
    columns: FailureColumns = ([], [], [], [])
    for failure in failures:
        if failure is None:
            for column in columns:
                column.append(None)
        else:
            columns[0].append(failure.reason.value)
            columns[1].append(failure.platform_code)
            columns[2].append(failure.is_retryable)
            columns[3].append(failure.may_have_arrived)
    return columns
