"""Group commits in SQL: prepared statements on a connection of their own.

One batch is BEGIN, lock, look up, write, COMMIT: five messages to the database for up to
`actions.writers.MAX_BATCH` sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from chassis.database import Database, begin_statement
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from services.messaging.model.channel import ChannelId, ChannelState
from services.messaging.model.draft import Opening
from services.messaging.model.message import Message
from services.messaging.model.thread import ConversationId, Thread
from services.messaging.store.rows import (
    MESSAGE_COLUMNS,
    STATUS_NAMES,
    THREAD_COLUMNS,
    THREAD_WIDTH,
    message_of,
    thread_of,
)

# Every statement is a lookup by key; one plan each is made and kept. Before version 18 a plan made
# while a table was small and never analysed may pick any index that begins with the workspace, so
# the plans are thrown away whenever four times as many batches have gone by.
PLAN_LOOKUPS = """
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET plan_cache_mode = force_generic_plan
"""
# Locked one by one in the order of the given ids: two batches never wait for each other.
LOCK_THREADS = f"""
SELECT {THREAD_COLUMNS}, c.state
FROM unnest($2::text::uuid[]) WITH ORDINALITY AS n(conversation_id, place)
CROSS JOIN LATERAL (
    SELECT * FROM threads o
    WHERE o.workspace_id = $1 AND o.conversation_id = n.conversation_id FOR NO KEY UPDATE) t
LEFT JOIN channels c ON c.workspace_id = $1 AND c.id = t.channel_id
ORDER BY n.place
"""
# In the order of ids, like every lock; another replica may open the same thread meanwhile.
OPEN_THREADS = f"""
INSERT INTO threads AS t (
    workspace_id, conversation_id, channel_id, channel_kind, external_id, customer_name,
    mode, mode_epoch, last_seq, inbound_count, create_time, version)
SELECT $1, n.conversation_id, n.channel_id, n.channel_kind, n.external_id, n.customer_name,
    coalesce((SELECT s.default_mode FROM messaging_settings s WHERE s.workspace_id = $1), 'manual'),
    1, 0, 0, $2, 1
FROM unnest($3::text::uuid[], $4::text::uuid[], $5::text::text[], $6::text::text[],
            $7::text::text[])
    AS n(conversation_id, channel_id, channel_kind, external_id, customer_name)
ORDER BY n.conversation_id
ON CONFLICT DO NOTHING
RETURNING {THREAD_COLUMNS}
"""
UNOPEN_THREADS = """
DELETE FROM threads t WHERE t.workspace_id = $1
    AND t.conversation_id = ANY((SELECT $2::text::uuid[])::uuid[]) AND t.last_seq = 0
"""
FIND_MESSAGES = f"""
SELECT {MESSAGE_COLUMNS} FROM unnest($2::text::uuid[]) AS n(client_message_id),
    LATERAL (SELECT * FROM messages o WHERE o.workspace_id = $1
             AND o.client_message_id = n.client_message_id OFFSET 0) m
"""
RENAME_CUSTOMERS = """
UPDATE threads t SET customer_name = n.customer_name
FROM unnest($2::text::uuid[], $3::text::text[]) AS n(conversation_id, customer_name)
WHERE t.workspace_id = $1 AND t.conversation_id = n.conversation_id
"""
# The lane's row is locked and looked at again even when it is not changed, so a dispatcher that
# clears a lane does so under the thread's lock, after looking for open attempts.
APPEND = """
WITH n AS MATERIALIZED (
    SELECT * FROM unnest(
        $3::text::uuid[], $4::text::uuid[], $5::text::bigint[], $6::text::uuid[],
        $7::text::uuid[], $8::text::text[], $9::text::text[], $10::text::text[],
        $11::text::text[], $12::text::text[], $13::text::text[], $14::text::bigint[],
        $15::text::timestamptz[])
    WITH ORDINALITY AS n(
        conversation_id, channel_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status, inbound_ordinal, platform_time,
        place)
), new_messages AS (
    INSERT INTO messages (
        workspace_id, conversation_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status, attempt_count, inbound_ordinal,
        create_time, platform_time, version)
    SELECT $1, conversation_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status,
        CASE WHEN delivery_status IS NULL THEN 0 ELSE 1 END, inbound_ordinal, $2, platform_time, 1
    FROM n
    ON CONFLICT (workspace_id, client_message_id) DO NOTHING
    RETURNING 1
), grown AS (
    UPDATE threads t SET (last_seq, inbound_count, version) = (
            SELECT max(n.seq), max(n.inbound_ordinal), t.version + count(*)
            FROM n WHERE n.conversation_id = t.conversation_id),
        last_message_time = $2
    WHERE t.workspace_id = $1
      -- In a query of its own, so that the array is read once and not for every row.
      AND t.conversation_id = ANY((SELECT $20::text::uuid[])::uuid[])
), new_attempts AS (
    INSERT INTO attempts (
        workspace_id, message_id, number, conversation_id, seq, channel_id, delivery_status,
        is_open, channel_key, create_time)
    SELECT $1, id, 1, conversation_id, seq, channel_id, delivery_status,
        delivery_status = 'queued', id::text, $2
    FROM n WHERE delivery_status IS NOT NULL
), new_receipts AS (
    INSERT INTO receipts (
        workspace_id, message_id, id, attempt_number, delivery_status, source, create_time)
    SELECT $1, id, gen_random_uuid(), 1, delivery_status, 'api', $2
    FROM n WHERE delivery_status IS NOT NULL
), lanes AS (
    INSERT INTO dispatch_lanes AS l (workspace_id, conversation_id, channel_id, next_attempt_time)
    SELECT DISTINCT $1, conversation_id, channel_id, $2
    FROM n WHERE delivery_status = 'queued'
    ORDER BY conversation_id
    ON CONFLICT (workspace_id, conversation_id) DO UPDATE
        SET next_attempt_time = excluded.next_attempt_time WHERE l.next_attempt_time IS NULL
), told AS (
    INSERT INTO outbox (
        event_id, workspace_id, subject, ordering_key, payload, create_time, traceparent)
    SELECT gen_random_uuid(), $1, e.subject, e.ordering_key, e.payload, $2, e.traceparent
    FROM unnest($16::text::text[], $17::text::text[], $18::bytea[], $19::text::text[])
        WITH ORDINALITY AS e(subject, ordering_key, payload, traceparent, place)
    ORDER BY e.place
)
SELECT count(*) FROM new_messages
"""
STATEMENTS = (LOCK_THREADS, OPEN_THREADS, UNOPEN_THREADS, FIND_MESSAGES, RENAME_CUSTOMERS, APPEND)


@dataclass(frozen=True, slots=True)
class LockedThread:
    """A thread under this transaction's lock, and the state of its channel."""

    thread: Thread
    channel_state: ChannelState


@dataclass(frozen=True, slots=True)
class Additions:
    """What one batch adds."""

    messages: Sequence[Message]
    channel_ids: Mapping[ConversationId, ChannelId]
    """Of the conversations of those messages."""
    renamed: Sequence[Thread]
    """Threads whose customer now has another name."""
    events: Sequence[OutgoingEvent]
    traceparents: Sequence[str]
    """One for each event."""


class AppendSession:
    """One connection for group commits. Use it from one task at a time."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._prepared: dict[str, Any] = {}
        self._batches = 0
        self._plan_again_at = 4

    @classmethod
    async def open(cls, database: Database) -> AppendSession:
        """Connect and prepare. Raises: DatabaseUnavailable."""
        connection = await database.connect()
        session = cls(connection)
        try:
            await connection.execute(PLAN_LOOKUPS)
            for statement in STATEMENTS:
                session._prepared[statement] = await connection.prepare(statement)
        except BaseException:
            connection.terminate()
            raise
        return session

    @property
    def is_closed(self) -> bool:
        """The connection is gone."""
        return self._connection.is_closed()

    def close(self) -> None:
        """End the connection; what was not committed did not happen."""
        self._connection.terminate()

    async def begin(self, workspace_id: WorkspaceId) -> None:
        """Open a transaction that sees one workspace."""
        self._batches += 1
        begin = begin_statement(workspace_id)
        if self._batches == self._plan_again_at:
            self._plan_again_at *= 4
            begin = f"DISCARD PLANS; {begin}"
        await self._connection.execute(begin)

    async def commit(self) -> bool:
        """Whether PostgreSQL committed; after a caught error it answers by rolling back."""
        return await self._connection.execute("COMMIT") == "COMMIT"

    async def rollback(self) -> None:
        """Nothing happened."""
        await self._connection.execute("ROLLBACK")

    async def lock_threads(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[str]
    ) -> dict[ConversationId, LockedThread]:
        """The threads that exist, locked in the order of their ids."""
        rows = await self._prepared[LOCK_THREADS].fetch(workspace_id, plain_array(conversation_ids))
        locked: dict[ConversationId, LockedThread] = {}
        for row in rows:
            thread = thread_of(row)
            state = row[THREAD_WIDTH]
            locked[thread.conversation_id] = LockedThread(
                thread, ChannelState.NOT_CONNECTED if state is None else CHANNEL_STATES[state]
            )
        return locked

    async def open_threads(
        self,
        workspace_id: WorkspaceId,
        openings: Sequence[tuple[ConversationId, Opening]],
        *,
        at: datetime,
    ) -> list[Thread]:
        """New empty threads, locked. One that somebody else opened meanwhile is left out."""
        rows = await self._prepared[OPEN_THREADS].fetch(
            workspace_id,
            at,
            plain_array([conversation_id for conversation_id, _ in openings]),
            plain_array([opening.channel_id for _, opening in openings]),
            plain_array([opening.channel_kind.value for _, opening in openings]),
            text_array([opening.external_id for _, opening in openings]),
            text_array([opening.customer_name for _, opening in openings]),
        )
        return [thread_of(row) for row in rows]

    async def unopen_threads(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[str]
    ) -> None:
        """Take back threads that this transaction opened and that got no message."""
        await self._prepared[UNOPEN_THREADS].fetch(workspace_id, plain_array(conversation_ids))

    async def find_messages(
        self, workspace_id: WorkspaceId, client_message_ids: Sequence[str]
    ) -> dict[str, Message]:
        """What is stored already, by client message id."""
        rows = await self._prepared[FIND_MESSAGES].fetch(
            workspace_id, plain_array(client_message_ids)
        )
        found = [message_of(row) for row in rows]
        return {message.client_message_id: message for message in found}

    async def append(self, workspace_id: WorkspaceId, additions: Additions, *, at: datetime) -> int:
        """Write a batch; returns how many messages were new.

        Fewer than given means that another transaction took a client id at the same moment: roll
        back and judge again.
        """
        messages = additions.messages
        events = additions.events
        if additions.renamed:
            await self._prepared[RENAME_CUSTOMERS].fetch(
                workspace_id,
                plain_array([thread.conversation_id for thread in additions.renamed]),
                text_array([thread.customer_name for thread in additions.renamed]),
            )
        count: int = await self._prepared[APPEND].fetchval(
            workspace_id,
            at,
            plain_array([message.conversation_id for message in messages]),
            plain_array([additions.channel_ids[message.conversation_id] for message in messages]),
            plain_array([str(message.seq) for message in messages]),
            plain_array([message.id for message in messages]),
            plain_array([message.client_message_id for message in messages]),
            plain_array([message.direction.value for message in messages]),
            plain_array([message.author.kind.value for message in messages]),
            text_array([message.author.id for message in messages]),
            text_array([message.author.display_name for message in messages]),
            text_array([message.text for message in messages]),
            plain_array([_status_name(message) for message in messages]),
            plain_array([str(message.inbound_ordinal) for message in messages]),
            plain_array([_time(message.platform_time) for message in messages]),
            plain_array([event.subject for event in events]),
            text_array([event.ordering_key for event in events]),
            [event.payload for event in events],
            text_array(additions.traceparents),
            plain_array({message.conversation_id for message in messages}),
        )
        return count


CHANNEL_STATES = {state.value: state for state in ChannelState}


def plain_array(values: Iterable[str]) -> str:
    """An array as PostgreSQL writes it, of values that need no quotes: ids, numbers, names, NULL.

    As one string it costs the driver a tenth of what an array of single values costs.
    """
    return "{" + ",".join(values) + "}"


def text_array(values: Iterable[str]) -> str:
    """The same of any text."""
    quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def _status_name(message: Message) -> str:
    status = message.delivery_status
    return "NULL" if status is None else STATUS_NAMES[status]


def _time(time: datetime | None) -> str:
    # In quotes: it contains blanks or a comma in no form, but a colon and a plus sign.
    return "NULL" if time is None else f'"{time.isoformat()}"'
