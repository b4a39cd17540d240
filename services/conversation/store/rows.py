"""Rows to model objects and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg

from services.conversation.model.authors import AuthorKind
from services.conversation.model.contact import Contact, Identity
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.thread import AttachmentKind, ChannelKind, Hold, Mode, Preview

CONTACT_COLUMNS = """
    contacts.display_name, contacts.create_time AS contact_create_time,
    contacts.version AS contact_version, contacts.merged_into_id, identities.*
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


def columns(rows: Iterable[Sequence[object]]) -> list[tuple[object, ...]]:
    """Rows turned into one array per column, as `unnest` takes them."""
    return list(zip(*rows, strict=True))


def conversation_row(conversation: Conversation) -> Sequence[object]:
    """A conversation as the columns that it is saved with."""
    preview, hold = conversation.preview, conversation.hold
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
        conversation.waiting_since,
        hold and hold.member_id,
        hold and hold.since,
        conversation.thread_version,
        preview and preview.attachment_kind and preview.attachment_kind.value,
    )


def conversation_of(row: asyncpg.Record) -> Conversation:
    """A row of `CONVERSATIONS` as a conversation."""
    preview = None
    if row["preview_seq"] is not None:
        kind = row["preview_attachment_kind"]
        preview = Preview(
            seq=row["preview_seq"],
            author_kind=AuthorKind(row["preview_author_kind"]),
            text=row["preview_text"],
            create_time=row["preview_create_time"],
            attachment_kind=kind and AttachmentKind(kind),
        )
    return Conversation(
        id=str(row["id"]),
        contact=contact_of(row),
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
        tag_ids=tuple(map(str, row["tag_ids"])),
        assignee_id=row["assignee_id"] and str(row["assignee_id"]),
        waiting_since=row["waiting_since"],
        hold=row["hold_member_id"] and Hold(row["hold_member_id"], row["hold_since"]),
        thread_version=row["thread_version"],
        version=row["version"],
    )


def contact_of(row: asyncpg.Record) -> Contact:
    """A row with `CONTACT_COLUMNS` as a contact."""
    return Contact(
        id=str(row["contact_id"]),
        display_name=row["display_name"],
        identities=_identities_of(row),
        create_time=row["contact_create_time"],
        version=row["contact_version"],
        merged_into_id=str(row["merged_into_id"] or ""),
    )


def _identities_of(row: asyncpg.Record) -> tuple[Identity, ...]:
    if row["channel_ids"] is None:
        return ()
    return tuple(
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
    )
