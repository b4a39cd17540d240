"""Group commits in SQL: prepared statements on a connection of their own.

Batches on threads that are as this session left them are one message to the database for many
workspaces, which locks, compares, writes and commits by itself (`append_each_if_unchanged`). Any
other batch is BEGIN, lock, look up, write, COMMIT.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis import sequencer
from chassis.database import Database
from chassis.events import Event, text_of
from chassis.ids import WorkspaceId, new_id
from chassis.outbox import OutgoingEvent
from chassis.row_security import begin_statement, workspaces_setting
from services.messaging.model.channel import ChannelId, ChannelState
from services.messaging.model.draft import Opening
from services.messaging.model.message import Message
from services.messaging.model.thread import ConversationId, Thread
from services.messaging.store.append_statements import (
    ADD_CONTENTS,
    APPEND,
    APPEND_EACH_IF_UNCHANGED,
    CLIENT_ID_TAKEN,
    FIND_MESSAGES,
    LOCK_THREADS,
    MAKE_APPEND_EACH_IF_UNCHANGED,
    OPEN_THREADS,
    PLAN_LOOKUPS,
    RENAME_CUSTOMERS,
    UNOPEN_THREADS,
)
from services.messaging.store.contents import content_arrays
from services.messaging.store.rows import STATUS_NAMES, THREAD_WIDTH, message_of, thread_of

MAX_REMEMBERED = 10_000
"""Threads; one takes about a kilobyte."""
STATEMENTS = (
    LOCK_THREADS,
    OPEN_THREADS,
    UNOPEN_THREADS,
    FIND_MESSAGES,
    RENAME_CUSTOMERS,
    ADD_CONTENTS,
    APPEND,
    APPEND_EACH_IF_UNCHANGED,
)


@dataclass(frozen=True, slots=True)
class LockedThread:
    """A thread under this transaction's lock, and the state of its channel."""

    thread: Thread
    channel_state: ChannelState


class RememberedThreads:
    """How this session left its threads; others may have changed them since, which shows on use."""

    def __init__(self) -> None:
        self._threads: OrderedDict[tuple[WorkspaceId, str], LockedThread] = OrderedDict()

    def recall(
        self, workspace_id: WorkspaceId, conversation_ids: Iterable[str]
    ) -> dict[ConversationId, LockedThread] | None:
        """All of them, or None."""
        recalled: dict[ConversationId, LockedThread] = {}
        for conversation_id in conversation_ids:
            entry = self._threads.get((workspace_id, conversation_id))
            if entry is None:
                return None
            recalled[entry.thread.conversation_id] = entry
        return recalled

    def keep(self, workspace_id: WorkspaceId, entries: Iterable[LockedThread]) -> None:
        """What a commit made of them."""
        for entry in entries:
            key = (workspace_id, entry.thread.conversation_id)
            self._threads[key] = entry
            self._threads.move_to_end(key)
        while len(self._threads) > MAX_REMEMBERED:
            self._threads.popitem(last=False)

    def forget(self, workspace_id: WorkspaceId, conversation_ids: Iterable[str]) -> None:
        """They are not as remembered."""
        for conversation_id in conversation_ids:
            self._threads.pop((workspace_id, conversation_id), None)


@dataclass(frozen=True, slots=True)
class Additions:
    """What one batch adds to threads of one workspace."""

    workspace_id: WorkspaceId
    messages: Sequence[Message]
    channel_ids: Mapping[ConversationId, ChannelId]
    """Of the conversations of those messages."""
    renamed: Sequence[Thread]
    """Threads whose customer now has another name."""
    events: Sequence[OutgoingEvent]
    traceparents: Sequence[str]
    """One for each event."""


@dataclass(frozen=True, slots=True)
class RememberedBatch:
    """What to add to threads of one workspace if they still are as they were seen."""

    additions: Additions
    seen: Sequence[LockedThread]

    @property
    def workspace_id(self) -> WorkspaceId:
        """Whose threads they are."""
        return self.additions.workspace_id


class AppendSession:
    """One connection for group commits. Use it from one task at a time."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._prepared: dict[str, Any] = {}
        self._batches = 0
        self._plan_again_at = 4
        self.remembered = RememberedThreads()

    @classmethod
    async def open(cls, database: Database) -> AppendSession:
        """Connect and prepare. Raises: DatabaseUnavailable."""
        connection = await database.connect()
        session = cls(connection)
        try:
            await connection.execute(PLAN_LOOKUPS)
            await connection.execute(sequencer.MAKE_TELL)
            await connection.execute(MAKE_APPEND_EACH_IF_UNCHANGED)
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
        await self._count_batch()
        await self._connection.execute(begin_statement(workspace_id))

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
        if additions.renamed:
            await self._prepared[RENAME_CUSTOMERS].fetch(
                workspace_id,
                plain_array([thread.conversation_id for thread in additions.renamed]),
                text_array([thread.customer_name for thread in additions.renamed]),
            )
        count: int = await self._prepared[APPEND].fetchval(
            workspace_id, at, *_message_arrays([additions]), *_told_arrays(_told(additions))
        )
        if carrying := [message for message in additions.messages if message.has_content]:
            await self._prepared[ADD_CONTENTS].fetch(workspace_id, *content_arrays(carrying))
        return count

    async def append_each_if_unchanged(
        self, batches: Sequence[RememberedBatch], *, at: datetime
    ) -> tuple[list[bool], list[Event]]:
        """Write batches in one transaction of their own, each if its threads are as it saw them.

        False for a batch whose thread is not, or whose channel is in another state: nothing of it
        was written. A client id that is taken is so for all. There is no transaction to end.
        The events are those that could be numbered at once; the others are in the outbox.
        """
        await self._count_batch()
        # Workspaces and threads in the order of ids, like every lock.
        in_order = sorted(batches, key=lambda batch: batch.workspace_id)
        told = [one for batch in in_order for one in _told(batch.additions)]
        try:
            row = await self._prepared[APPEND_EACH_IF_UNCHANGED].fetchrow(
                workspaces_setting([batch.workspace_id for batch in in_order]),
                at,
                *_message_arrays([batch.additions for batch in in_order]),
                *_seen_arrays(in_order),
                plain_array([one.event.workspace_id for one in told]),
                *_told_arrays(told),
            )
        except asyncpg.PostgresError as error:
            if error.sqlstate != CLIENT_ID_TAKEN:
                raise
            return [False for _ in batches], []
        unchanged, base, epoch = row
        found = set(unchanged)
        done = {batch.workspace_id for batch in in_order if UUID(batch.workspace_id) in found}
        written = [] if base is None else [one for one in told if one.event.workspace_id in done]
        events = [one.numbered(base + nth, epoch, at) for nth, one in enumerate(written, start=1)]
        return [batch.workspace_id in done for batch in batches], events

    async def _count_batch(self) -> None:
        self._batches += 1
        if self._batches == self._plan_again_at:
            self._plan_again_at *= 4
            await self._connection.execute("DISCARD PLANS")


@dataclass(frozen=True, slots=True)
class _Told:
    """An event of a batch."""

    id: str
    event: OutgoingEvent
    traceparent: str

    def numbered(self, gpos: int, epoch: str, at: datetime) -> Event:
        """As it stands in the log."""
        event = self.event
        return Event(
            gpos,
            epoch,
            self.id,
            event.workspace_id,
            event.subject,
            event.ordering_key,
            event.payload,
            text_of(at),
            self.traceparent,
        )


def _told(additions: Additions) -> list[_Told]:
    return [
        _Told(new_id(), event, traceparent)
        for event, traceparent in zip(additions.events, additions.traceparents, strict=True)
    ]


def _message_arrays(batches: Sequence[Additions]) -> tuple[str, ...]:
    """What WRITE is given of each message."""
    workspaces = [each.workspace_id for each in batches for _ in each.messages]
    channels = [each.channel_ids[one.conversation_id] for each in batches for one in each.messages]
    messages = [message for each in batches for message in each.messages]
    return (
        plain_array(workspaces),
        plain_array([message.conversation_id for message in messages]),
        plain_array(channels),
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
    )


def _seen_arrays(batches: Sequence[RememberedBatch]) -> tuple[str, ...]:
    """Threads as they were seen: workspaces, ids, versions, states of their channels."""
    seen = [
        (batch.workspace_id, entry)
        for batch in batches
        for entry in sorted(batch.seen, key=lambda entry: entry.thread.conversation_id)
    ]
    return (
        plain_array([workspace_id for workspace_id, _ in seen]),
        plain_array([entry.thread.conversation_id for _, entry in seen]),
        plain_array([str(entry.thread.version) for _, entry in seen]),
        plain_array([entry.channel_state.value for _, entry in seen]),
    )


def _told_arrays(told: Sequence[_Told]) -> tuple[str, str, str, list[bytes], str]:
    """Ids, subjects, ordering keys, payloads and traces of events."""
    return (
        plain_array([one.id for one in told]),
        plain_array([one.event.subject for one in told]),
        text_array([one.event.ordering_key for one in told]),
        [one.event.payload for one in told],
        text_array([one.traceparent for one in told]),
    )


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
