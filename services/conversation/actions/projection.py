"""What messaging says, applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.conversation import events
from services.conversation.actions.changes import follow
from services.conversation.actions.means import Means
from services.conversation.model import projection
from services.conversation.model.authors import SYSTEM
from services.conversation.model.contact import Contact, new_contact, rename
from services.conversation.model.conversation import Conversation
from services.conversation.model.counters import Movement
from services.conversation.model.folders import SETTLED
from services.conversation.model.thread import ThreadFacts
from services.conversation.store import contacts as contact_store
from services.conversation.store import conversations, seen, settings


async def project_threads(
    means: Means, transaction: Transaction, workspace_id: WorkspaceId, facts: Sequence[ThreadFacts]
) -> None:
    """Apply what messaging says about threads of one workspace, in the order it says it.

    Missing contacts and conversations are made from the facts themselves, so any event may be
    the first one. A repeat changes nothing. What it changes of our own is published.
    """
    if not facts:
        return
    before = await conversations.lock_many(
        transaction, sorted({fact.conversation_id for fact in facts})
    )
    identity_keys = sorted({fact.identity_key for fact in facts})
    owners = await contact_store.by_identity(transaction, identity_keys)
    if any(_concerns_contact(owners.get(fact.identity_key), fact, before) for fact in facts):
        # People change and merge contacts too.
        owners = await contact_store.hold(transaction, identity_keys)
    known = {contact.id: contact for contact in owners.values()}
    contacts = dict(known)
    contact_ids = {key: contact.id for key, contact in owners.items()}
    after = dict(before)
    reopens_on_inbound = await _reopens_on_inbound(transaction, before.values())
    for fact in facts:
        if fact.identity_key not in contact_ids:
            contact = new_contact(workspace_id, fact)
            contacts[contact.id] = contact
            contact_ids[fact.identity_key] = contact.id
        contact = rename(contacts[contact_ids[fact.identity_key]], fact)
        contacts[contact.id] = contact
        present = after.get(fact.conversation_id)
        after[fact.conversation_id] = (
            projection.project(present, fact, reopens_on_inbound=reopens_on_inbound)
            if present
            else projection.open_conversation(contact, fact)
        )
    await contact_store.save(transaction, [c for c in contacts.values() if c != known.get(c.id)])
    changed = [c for c in after.values() if c != before.get(c.id)]
    await conversations.save(transaction, changed)
    restored = [c for c in changed if c.id in before and c.log_epoch != before[c.id].log_epoch]
    if restored:
        await seen.lower(transaction, [c.id for c in restored], [c.inbound_count for c in restored])
    await follow(
        means,
        transaction,
        workspace_id,
        [
            # A conversation was read with the contact as it was before this run.
            Movement(before.get(c.id), replace(c, contact=contacts[c.contact.id]))
            for c in changed
        ],
        SYSTEM,
        also=[
            events.contact_renamed(workspace_id, contact)
            for contact in contacts.values()
            if contact.id in known and contact.version != known[contact.id].version
        ],
    )


def _concerns_contact(
    contact: Contact | None, fact: ThreadFacts, before: Mapping[str, Conversation]
) -> bool:
    """Whether a known contact gets another name, or one more conversation."""
    return contact is not None and (
        fact.conversation_id not in before or rename(contact, fact) is not contact
    )


async def _reopens_on_inbound(
    transaction: Transaction, conversations: Iterable[Conversation]
) -> bool:
    """The workspace's choice, asked for only where it can matter."""
    if all(conversation.folder not in SETTLED for conversation in conversations):
        return True
    return (await settings.read(transaction)).reopens_on_inbound
