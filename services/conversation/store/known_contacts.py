"""Contacts with all that is known of them: read, locked, saved and merged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from chassis.database import Reading, Transaction
from services.conversation.model.authors import Author, AuthorKind
from services.conversation.model.contact import Contact
from services.conversation.model.faults import ContactNotFound
from services.conversation.model.names import sort_key
from services.conversation.model.profile import (
    Consent,
    ConsentState,
    ContactField,
    KnownContact,
    Profile,
)
from services.conversation.model.thread import ChannelKind
from services.conversation.store import names
from services.conversation.store.contacts import LOCK_CONTACTS
from services.conversation.store.rows import CONTACT_COLUMNS, IDENTITIES, contact_of

KNOWN = f"""
SELECT contacts.id AS contact_id, {CONTACT_COLUMNS}, profile.email, profile.phone,
       profile.language, profile.tag_ids, profile.fields, profile.consents,
       profile.version AS profile_version
FROM ({{listed}}) AS contacts
{IDENTITIES}
LEFT JOIN contact_profiles AS profile
    ON profile.workspace_id = $1 AND profile.contact_id = contacts.id
ORDER BY contacts.id
"""
BY_ID = KNOWN.format(
    listed="SELECT * FROM contacts WHERE workspace_id = $1 AND id = ANY ($2::uuid[])"
)
IN_ID_ORDER = KNOWN.format(
    listed="SELECT * FROM contacts WHERE workspace_id = $1 AND id > $2::uuid ORDER BY id LIMIT $3"
)
STAND_FOR = """
SELECT id, coalesce(merged_into_id, id) AS stands_for FROM contacts
WHERE workspace_id = $1 AND id = ANY ($2::uuid[])
"""
SAVE = """
UPDATE contacts
SET display_name = $3, name_key = $4, create_time = $5, version = $6, merged_into_id = $7
WHERE workspace_id = $1 AND id = $2
"""
SAVE_PROFILE = """
INSERT INTO contact_profiles (workspace_id, contact_id, email, phone, language, tag_ids, fields,
                              consents, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (workspace_id, contact_id) DO UPDATE
    SET email = excluded.email, phone = excluded.phone, language = excluded.language,
        tag_ids = excluded.tag_ids, fields = excluded.fields, consents = excluded.consents,
        version = excluded.version
"""
FORGET_PROFILE = "DELETE FROM contact_profiles WHERE workspace_id = $1 AND contact_id = $2"
LOCK_CONVERSATIONS = """
SELECT id FROM conversations WHERE workspace_id = $1 AND contact_id = (
    SELECT coalesce(merged_into_id, id) FROM contacts WHERE workspace_id = $1 AND id = $2)
ORDER BY id FOR NO KEY UPDATE
"""
# Those merged into it before go along, so that one look is enough to find whom an id stands for.
MOVES = (
    "UPDATE contact_identities SET contact_id = $3 WHERE workspace_id = $1 AND contact_id = $2",
    "UPDATE conversations SET contact_id = $3 WHERE workspace_id = $1 AND contact_id = $2",
    "UPDATE contact_notes SET contact_id = $3 WHERE workspace_id = $1 AND contact_id = $2",
    "UPDATE contacts SET merged_into_id = $3 WHERE workspace_id = $1 AND merged_into_id = $2",
)
CONTACT_OF_CONVERSATION = "SELECT contact_id FROM conversations WHERE workspace_id = $1 AND id = $2"


async def get(reading: Reading, contact_id: str) -> KnownContact:
    """The contact that an id stands for. Raises: ContactNotFound."""
    [stands_for] = await _stand_for(reading, [contact_id])
    return (await by_id(reading, [stands_for]))[stands_for]


async def find(transaction: Transaction, contact_id: str) -> KnownContact | None:
    """The contact that an id stands for, if there is one."""
    try:
        return await get(transaction, contact_id)
    except ContactNotFound:
        return None


async def lock(transaction: Transaction, contact_id: str) -> KnownContact:
    """The same; nobody else changes it until the end. Raises: ContactNotFound."""
    [known] = await lock_many(transaction, [contact_id])
    return known


async def lock_many(transaction: Transaction, contact_ids: Sequence[str]) -> list[KnownContact]:
    """The contacts that ids stand for, in their order, kept from changing until the end.

    Raises: ContactNotFound.
    """
    held: list[str] = []
    while True:
        standing = await _stand_for(transaction, contact_ids)
        if standing == held:
            break
        held = standing
        await transaction.raw.execute(LOCK_CONTACTS, transaction.workspace_id, sorted(set(held)))
    found = await by_id(transaction, held)
    return [found[contact_id] for contact_id in held]


async def by_id(reading: Reading, contact_ids: Sequence[str]) -> dict[str, KnownContact]:
    """Those of the contacts that exist, merged ones as themselves."""
    rows = await reading.raw.fetch(BY_ID, reading.workspace_id, contact_ids)
    return {known.id: known for known in map(_known_contact, rows)}


async def in_id_order(transaction: Transaction, *, after: str, size: int) -> list[KnownContact]:
    """Contacts after an id, merged ones too."""
    rows = await transaction.raw.fetch(IN_ID_ORDER, transaction.workspace_id, after, size)
    return [_known_contact(row) for row in rows]


async def of_conversation(transaction: Transaction, conversation_id: str) -> str | None:
    """Whose conversation it is; None where there is no such conversation."""
    found = await transaction.raw.fetchval(
        CONTACT_OF_CONVERSATION, transaction.workspace_id, conversation_id
    )
    return str(found) if found else None


async def lock_conversations(transaction: Transaction, contact_id: str) -> None:
    """Keep the conversations of a contact from changing until the end.

    Before contacts are locked: who projects messages takes both in this order.
    """
    await transaction.raw.execute(LOCK_CONVERSATIONS, transaction.workspace_id, contact_id)


async def save(transaction: Transaction, known: KnownContact) -> None:
    """Write a locked contact and what is known of it."""
    await _save_contact(transaction, known.contact)
    if known.profile.version:
        await transaction.raw.execute(SAVE_PROFILE, transaction.workspace_id, *_profile_row(known))


async def save_merged(transaction: Transaction, known: KnownContact, left: Contact) -> None:
    """Write a contact that another one is part of from now on, and what is left of that."""
    for move in MOVES:
        await transaction.raw.execute(move, transaction.workspace_id, left.id, known.id)
    await transaction.raw.execute(FORGET_PROFILE, transaction.workspace_id, left.id)
    await _save_contact(transaction, left)
    await save(transaction, known)


async def _save_contact(transaction: Transaction, contact: Contact) -> None:
    await transaction.raw.execute(
        SAVE,
        transaction.workspace_id,
        contact.id,
        contact.display_name,
        sort_key(contact.display_name),
        contact.create_time,
        contact.version,
        contact.merged_into_id or None,
    )
    await names.index(transaction, [contact])


async def _stand_for(reading: Reading, contact_ids: Sequence[str]) -> list[str]:
    rows = await reading.raw.fetch(STAND_FOR, reading.workspace_id, contact_ids)
    standing = {str(row["id"]): str(row["stands_for"]) for row in rows}
    for contact_id in contact_ids:
        if contact_id not in standing:
            raise ContactNotFound(contact_id)
    return [standing[contact_id] for contact_id in contact_ids]


def _profile_row(known: KnownContact) -> Sequence[object]:
    profile = known.profile
    return (
        known.id,
        profile.email,
        profile.phone,
        profile.language,
        list(profile.tag_ids),
        orjson.dumps([_field_row(field) for field in profile.fields]).decode(),
        orjson.dumps([_consent_row(consent) for consent in profile.consents]).decode(),
        profile.version,
    )


def _known_contact(row: asyncpg.Record) -> KnownContact:
    contact = contact_of(row)
    if row["profile_version"] is None:
        return KnownContact(contact)
    profile = Profile(
        email=row["email"],
        phone=row["phone"],
        language=row["language"],
        tag_ids=tuple(map(str, row["tag_ids"])),
        fields=tuple(map(_field_of, row["fields"])),
        consents=tuple(map(_consent_of, row["consents"])),
        version=row["profile_version"],
    )
    return KnownContact(contact, profile)


def _field_row(field: ContactField) -> dict[str, object]:
    return {
        "key": field.key,
        "value": field.value,
        "author": _author_row(field.author),
        "update_time": field.update_time.isoformat(),
        "source_conversation_id": field.source_conversation_id,
        "source_seq": field.source_seq,
    }


def _field_of(row: dict[str, Any]) -> ContactField:
    return ContactField(
        key=row["key"],
        value=row["value"],
        author=_author_of(row["author"]),
        update_time=datetime.fromisoformat(row["update_time"]),
        source_conversation_id=row["source_conversation_id"],
        source_seq=row["source_seq"],
    )


def _consent_row(consent: Consent) -> dict[str, object]:
    return {
        "purpose": consent.purpose,
        "channel_kind": consent.channel_kind.value if consent.channel_kind else None,
        "state": consent.state.value,
        "source": consent.source,
        "author": _author_row(consent.author),
        "consent_time": consent.consent_time.isoformat(),
    }


def _consent_of(row: dict[str, Any]) -> Consent:
    return Consent(
        purpose=row["purpose"],
        channel_kind=ChannelKind(row["channel_kind"]) if row["channel_kind"] else None,
        state=ConsentState(row["state"]),
        source=row["source"],
        author=_author_of(row["author"]),
        consent_time=datetime.fromisoformat(row["consent_time"]),
    )


def _author_row(author: Author) -> dict[str, str]:
    return {"kind": author.kind.value, "id": author.id, "display_name": author.display_name}


def _author_of(row: dict[str, str]) -> Author:
    return Author(AuthorKind(row["kind"]), row["id"], row["display_name"])
