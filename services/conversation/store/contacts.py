"""Contacts with their channel identities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.database import Transaction
from services.conversation.model.contact import Contact
from services.conversation.model.names import sort_key
from services.conversation.store import names
from services.conversation.store.rows import CONTACT_COLUMNS, IDENTITIES, columns, contact_of

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
SAVE_CONTACTS = """
INSERT INTO contacts (workspace_id, id, display_name, name_key, create_time, version)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[])
ON CONFLICT (workspace_id, id) DO UPDATE
    SET display_name = excluded.display_name, name_key = excluded.name_key,
        version = excluded.version
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


# In id order, so that two who lock several cannot wait for each other.
LOCK_CONTACTS = """
SELECT id FROM contacts WHERE workspace_id = $1 AND id = ANY ($2::uuid[])
ORDER BY id FOR NO KEY UPDATE
"""


async def by_identity(
    transaction: Transaction, identity_keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Contact]:
    """The contacts that have any of these identities (channel id, external id), by each."""
    channel_ids, external_ids = zip(*identity_keys, strict=True)
    rows = await transaction.raw.fetch(
        CONTACTS_BY_IDENTITY, transaction.workspace_id, channel_ids, external_ids
    )
    contacts = map(contact_of, rows)
    return {identity.key: contact for contact in contacts for identity in contact.identities}


async def hold(
    transaction: Transaction, identity_keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Contact]:
    """The same; nobody changes them, or merges them into others, until the end."""
    held: set[str] = set()
    while True:
        owners = await by_identity(transaction, identity_keys)
        ids = {contact.id for contact in owners.values()}
        if ids <= held:
            return owners
        held |= ids
        await transaction.raw.execute(LOCK_CONTACTS, transaction.workspace_id, sorted(held))


async def save(transaction: Transaction, contacts: Sequence[Contact]) -> None:
    """Write contacts with their identities, new or changed."""
    if not contacts:
        return
    await transaction.raw.execute(
        SAVE_CONTACTS,
        transaction.workspace_id,
        *columns(
            (
                contact.id,
                contact.display_name,
                sort_key(contact.display_name),
                contact.create_time,
                contact.version,
            )
            for contact in contacts
        ),
    )
    await transaction.raw.execute(
        SAVE_IDENTITIES,
        transaction.workspace_id,
        *columns(
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
    await names.index(transaction, contacts)
