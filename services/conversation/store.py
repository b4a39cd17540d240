"""All SQL of the shared inbox. Each statement names the workspace; row security checks again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Database, Transaction
from chassis.errors import IdempotencyKeyReused
from chassis.ids import WorkspaceId
from services.conversation import schema
from services.conversation.model import (
    AuthorKind,
    ChannelKind,
    Contact,
    Conversation,
    ConversationNotFound,
    Folder,
    Identity,
    Mode,
    Preview,
)

CONTACT_COLUMNS = """
    contacts.display_name, contacts.create_time AS contact_create_time,
    contacts.version AS contact_version, identities.*
"""
# Every identity by itself, so the index of a contact's identities is walked and nothing else.
IDENTITIES = """
    CROSS JOIN LATERAL (
        SELECT array_agg(channel_id ORDER BY channel_id, external_id) AS channel_ids,
               array_agg(channel_kind ORDER BY channel_id, external_id) AS channel_kinds,
               array_agg(external_id ORDER BY channel_id, external_id) AS external_ids,
               array_agg(channel_name ORDER BY channel_id, external_id) AS channel_names,
               array_agg(name_version ORDER BY channel_id, external_id) AS name_versions,
               array_agg(log_epoch ORDER BY channel_id, external_id) AS log_epochs
        FROM contact_identities
        WHERE workspace_id = $1 AND contact_id = contacts.id
    ) AS identities
"""
CONVERSATIONS = f"""
SELECT listed.*, {CONTACT_COLUMNS}
FROM ({{listed}}) AS listed
JOIN contacts ON contacts.workspace_id = $1 AND contacts.id = listed.contact_id
{IDENTITIES}
"""
CONVERSATIONS_BY_ID = CONVERSATIONS.format(
    listed="SELECT * FROM conversations WHERE workspace_id = $1 AND id = ANY ($2::uuid[])"
)
# In id order, so that two who lock several cannot wait for each other.
LOCK_CONVERSATIONS = """
SELECT id FROM conversations WHERE workspace_id = $1 AND id = ANY ($2::uuid[])
ORDER BY id FOR NO KEY UPDATE
"""
CONTACTS_BY_IDENTITY = f"""
SELECT contacts.id AS contact_id, {CONTACT_COLUMNS}
FROM contacts
{IDENTITIES}
WHERE contacts.workspace_id = $1 AND contacts.id IN (
    SELECT contact_id FROM contact_identities
    JOIN unnest($2::uuid[], $3::text[]) AS wanted (channel_id, external_id)
        USING (channel_id, external_id)
    WHERE workspace_id = $1
)
"""
PAGE = (
    CONVERSATIONS.format(
        listed="""
    SELECT * FROM conversations
    WHERE workspace_id = $1 AND folder = $2 {filters}
      AND (last_activity_time, id) < ($3::timestamptz, $4::uuid)
    ORDER BY last_activity_time DESC, id DESC
    LIMIT $5
"""
    )
    + "ORDER BY listed.last_activity_time DESC, listed.id DESC"
)
UNREAD = "AND inbound_count > read_ordinal"
ON_CHANNEL = "AND channel_id = $6"
IN_ID_ORDER = (
    CONVERSATIONS.format(
        listed="""
    SELECT * FROM conversations WHERE workspace_id = $1 AND id > $2::uuid ORDER BY id LIMIT $3
"""
    )
    + "ORDER BY listed.id"
)
OPEN_OF_OTHER_LIVES = """
SELECT id FROM conversations
WHERE workspace_id = $1 AND folder = 'open' AND log_epoch <> $2 ORDER BY id LIMIT $3
"""
KNOWN_WORKSPACES = """
SELECT workspace_id FROM log_workspaces UNION SELECT workspace_id FROM outbox ORDER BY 1
"""
SAVE_CONTACTS = """
INSERT INTO contacts (workspace_id, id, display_name, create_time, version)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[])
ON CONFLICT (workspace_id, id) DO UPDATE
    SET display_name = excluded.display_name, version = excluded.version
"""
SAVE_IDENTITIES = """
INSERT INTO contact_identities (workspace_id, contact_id, channel_id, channel_kind, external_id,
                                channel_name, name_version, log_epoch)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                         $8::text[])
ON CONFLICT (workspace_id, channel_id, external_id) DO UPDATE
    SET channel_name = excluded.channel_name, name_version = excluded.name_version,
        log_epoch = excluded.log_epoch
"""
SAVE_CONVERSATIONS = """
INSERT INTO conversations (
    workspace_id, id, contact_id, channel_id, channel_kind, folder, preview_seq,
    preview_author_kind, preview_text, preview_create_time, inbound_count, read_ordinal,
    solved_ordinal, mode, mode_epoch, log_epoch, create_time, version)
SELECT $1, * FROM unnest(
    $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[],
    $9::text[], $10::timestamptz[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[],
    $15::bigint[], $16::text[], $17::timestamptz[], $18::bigint[])
ON CONFLICT (workspace_id, id) DO UPDATE SET
    folder = excluded.folder, preview_seq = excluded.preview_seq,
    preview_author_kind = excluded.preview_author_kind, preview_text = excluded.preview_text,
    preview_create_time = excluded.preview_create_time, inbound_count = excluded.inbound_count,
    read_ordinal = excluded.read_ordinal, solved_ordinal = excluded.solved_ordinal,
    mode = excluded.mode, mode_epoch = excluded.mode_epoch, log_epoch = excluded.log_epoch,
    version = excluded.version
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: what comes after it is on the next page."""

    last_activity_time: datetime
    conversation_id: str


BEFORE_ALL = Place(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")
BEFORE_ALL_IDS = "00000000-0000-0000-0000-000000000000"


async def known_workspaces(worker: Database) -> list[WorkspaceId]:
    """Every workspace that ever had a conversation: opening one is published."""
    async with worker.begin() as transaction:
        rows = await transaction.raw.fetch(KNOWN_WORKSPACES)
    return [WorkspaceId(str(row["workspace_id"])) for row in rows]


def page_statement(*, unread_only: bool, is_on_channel: bool) -> str:
    """The list's statement; each of the four walks an index of its own."""
    filters = " ".join([UNREAD] * unread_only + [ON_CHANNEL] * is_on_channel)
    return PAGE.format(filters=filters)


class Store:
    """The shared inbox of one workspace within one transaction."""

    def __init__(self, transaction: Transaction, workspace_id: WorkspaceId) -> None:
        self._sql = transaction.sql
        self._raw = transaction.raw
        self._workspace_id = workspace_id

    async def get(self, conversation_id: str) -> Conversation:
        """One conversation. Raises: ConversationNotFound."""
        found = await self._by_id([conversation_id])
        if conversation_id not in found:
            raise ConversationNotFound(conversation_id)
        return found[conversation_id]

    async def lock(self, conversation_id: str) -> Conversation:
        """One conversation that nobody else changes until the end. Raises: ConversationNotFound."""
        found = await self.lock_many([conversation_id])
        if conversation_id not in found:
            raise ConversationNotFound(conversation_id)
        return found[conversation_id]

    async def lock_many(self, conversation_ids: Sequence[str]) -> dict[str, Conversation]:
        """Those of the conversations that exist, kept from changing until the end."""
        await self._raw.execute(LOCK_CONVERSATIONS, self._workspace_id, conversation_ids)
        # A statement of its own, so it sees what those before us in the line committed.
        return await self._by_id(conversation_ids)

    async def page(
        self,
        folder: Folder,
        *,
        unread_only: bool,
        channel_id: str | None,
        after: Place,
        size: int,
    ) -> list[Conversation]:
        """Conversations of a folder after a place, newest activity first."""
        statement = page_statement(unread_only=unread_only, is_on_channel=channel_id is not None)
        arguments = [
            self._workspace_id,
            folder.value,
            after.last_activity_time,
            after.conversation_id,
            size,
        ]
        if channel_id is not None:
            arguments.append(channel_id)
        return [_conversation(row) for row in await self._raw.fetch(statement, *arguments)]

    async def in_id_order(self, *, after: str, size: int) -> list[Conversation]:
        """Conversations of every folder after an id."""
        rows = await self._raw.fetch(IN_ID_ORDER, self._workspace_id, after, size)
        return [_conversation(row) for row in rows]

    async def open_of_other_lives(self, log_epoch: str, size: int) -> list[str]:
        """Open conversations that this life of messaging's database has said nothing about."""
        rows = await self._raw.fetch(OPEN_OF_OTHER_LIVES, self._workspace_id, log_epoch, size)
        return [str(row["id"]) for row in rows]

    async def contacts_of(
        self, identity_keys: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], Contact]:
        """The contacts that have any of these identities (channel id, external id), by each."""
        channel_ids, external_ids = zip(*identity_keys, strict=True)
        rows = await self._raw.fetch(
            CONTACTS_BY_IDENTITY, self._workspace_id, channel_ids, external_ids
        )
        contacts = map(_contact, rows)
        return {identity.key: contact for contact in contacts for identity in contact.identities}

    async def save_contacts(self, contacts: Sequence[Contact]) -> None:
        """Write contacts with their identities, new or changed."""
        if not contacts:
            return
        await self._raw.execute(
            SAVE_CONTACTS,
            self._workspace_id,
            *_columns(
                (contact.id, contact.display_name, contact.create_time, contact.version)
                for contact in contacts
            ),
        )
        await self._raw.execute(
            SAVE_IDENTITIES,
            self._workspace_id,
            *_columns(
                (
                    contact.id,
                    identity.channel_id,
                    identity.channel_kind.value,
                    identity.external_id,
                    identity.channel_name,
                    identity.name_version,
                    identity.log_epoch,
                )
                for contact in contacts
                for identity in contact.identities
            ),
        )

    async def save_conversations(self, conversations: Sequence[Conversation]) -> None:
        """Write whole conversations, new or locked before."""
        if conversations:
            await self._raw.execute(
                SAVE_CONVERSATIONS, self._workspace_id, *_columns(map(_row, conversations))
            )

    async def save_owned(self, conversation: Conversation) -> None:
        """Write what conversation owns of a locked conversation."""
        table = schema.conversations
        await self._sql.execute(
            update(table)
            .where(table.c.workspace_id == self._workspace_id, table.c.id == conversation.id)
            .values(
                folder=conversation.folder.value,
                read_ordinal=conversation.read_ordinal,
                solved_ordinal=conversation.solved_ordinal,
                version=conversation.version,
            )
        )

    async def was_done(self, request_id: str, command: str, conversation_id: str) -> bool:
        """Whether this request changed something before.

        Raises: IdempotencyKeyReused, where it was another request.
        """
        table = schema.command_requests
        found = (
            await self._sql.execute(
                select(table.c.command, table.c.conversation_id).where(
                    table.c.workspace_id == self._workspace_id, table.c.request_id == request_id
                )
            )
        ).first()
        if found is None:
            return False
        if (found.command, found.conversation_id) != (command, conversation_id):
            raise IdempotencyKeyReused("request_id")
        return True

    async def note_done(
        self, request_id: str, command: str, conversation_id: str, at: datetime
    ) -> None:
        """Remember a request that changes something. Raises: IdempotencyKeyReused."""
        noted = await self._sql.execute(
            insert(schema.command_requests)
            .values(
                workspace_id=self._workspace_id,
                request_id=request_id,
                command=command,
                conversation_id=conversation_id,
                create_time=at,
            )
            .on_conflict_do_nothing()
        )
        if noted.rowcount == 0:
            # The same id was used at the same moment on another conversation.
            raise IdempotencyKeyReused("request_id")

    async def _by_id(self, conversation_ids: Sequence[str]) -> dict[str, Conversation]:
        rows = await self._raw.fetch(CONVERSATIONS_BY_ID, self._workspace_id, conversation_ids)
        return {conversation.id: conversation for conversation in map(_conversation, rows)}


def _columns(rows: Iterable[Sequence[object]]) -> list[tuple[object, ...]]:
    """Rows turned into one array per column, as `unnest` takes them."""
    return list(zip(*rows, strict=True))


def _row(conversation: Conversation) -> Sequence[object]:
    preview = conversation.preview
    return (
        conversation.id,
        conversation.contact.id,
        conversation.channel_id,
        conversation.channel_kind.value,
        conversation.folder.value,
        preview and preview.seq,
        preview and preview.author_kind.value,
        preview and preview.text,
        preview and preview.create_time,
        conversation.inbound_count,
        conversation.read_ordinal,
        conversation.solved_ordinal,
        conversation.mode.value,
        conversation.mode_epoch,
        conversation.log_epoch,
        conversation.create_time,
        conversation.version,
    )


def _conversation(row: asyncpg.Record) -> Conversation:
    preview = None
    if row["preview_seq"] is not None:
        preview = Preview(
            seq=row["preview_seq"],
            author_kind=AuthorKind(row["preview_author_kind"]),
            text=row["preview_text"],
            create_time=row["preview_create_time"],
        )
    return Conversation(
        id=str(row["id"]),
        contact=_contact(row),
        channel_id=str(row["channel_id"]),
        channel_kind=ChannelKind(row["channel_kind"]),
        folder=Folder(row["folder"]),
        preview=preview,
        inbound_count=row["inbound_count"],
        read_ordinal=row["read_ordinal"],
        solved_ordinal=row["solved_ordinal"],
        mode=Mode(row["mode"]),
        mode_epoch=row["mode_epoch"],
        log_epoch=row["log_epoch"],
        create_time=row["create_time"],
        version=row["version"],
    )


def _contact(row: asyncpg.Record) -> Contact:
    return Contact(
        id=str(row["contact_id"]),
        display_name=row["display_name"],
        identities=tuple(
            Identity(str(channel_id), ChannelKind(kind), external_id, name, version, epoch)
            for channel_id, kind, external_id, name, version, epoch in zip(
                row["channel_ids"],
                row["channel_kinds"],
                row["external_ids"],
                row["channel_names"],
                row["name_versions"],
                row["log_epochs"],
                strict=True,
            )
        ),
        create_time=row["contact_create_time"],
        version=row["contact_version"],
    )
