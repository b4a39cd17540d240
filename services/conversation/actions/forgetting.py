"""Dropping conversations whose threads messaging erased, and contacts that are left with none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis import audit, erasing
from chassis.database import Transaction
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from services.conversation import events
from services.conversation.actions.changes import count, publish
from services.conversation.actions.means import Means
from services.conversation.model.contact import Contact, as_new, without_conversation
from services.conversation.model.conversation import Conversation
from services.conversation.model.counters import Movement, Tally, differences
from services.conversation.model.erasure import ErasedThread
from services.conversation.store import contacts as contact_store
from services.conversation.store import conversations, known_contacts, tags
from services.conversation.store import erasing as store


async def forget_conversations(
    means: Means,
    transaction: Transaction,
    workspace_id: WorkspaceId,
    erased: Sequence[ErasedThread],
) -> None:
    """Drop what is known of erased threads, in the worker's transaction; a repeat drops nothing.

    A conversation with a message after the erased ones is of a customer who came back: it stays.
    A contact goes with the last of its conversations. Whatever else was told of either is erased
    from the log, and then that they are gone is told. Events: ConversationErased, ContactErased,
    ContactChanged, CountersChanged.
    """
    last_seqs = {thread.conversation_id: thread.last_seq for thread in erased}
    found = await conversations.lock_many(transaction, sorted(last_seqs))
    doomed = [one for one in found.values() if _newest_seq(one) <= last_seqs[one.id]]
    if not doomed:
        return
    ids = [conversation.id for conversation in doomed]
    await store.remove_conversations(transaction, ids)
    contacts = {conversation.contact.id: conversation.contact for conversation in doomed}
    for conversation in doomed:
        contact_id = conversation.contact.id
        contacts[contact_id] = without_conversation(contacts[contact_id], conversation.id)
    in_use = await store.still_in_use(transaction, list(contacts))
    gone = [id_ for id_ in contacts if id_ not in in_use]
    stays = [contact for id_, contact in contacts.items() if id_ not in gone]
    at = means.clock.now()
    gone += await _remove_contacts(transaction, gone, at=at)
    await _keep(transaction, doomed, stays)
    await audit.erase(transaction, "conversation", ids, at=at)
    await erasing.erase_events(transaction, [*ids, *contacts])
    told: list[OutgoingEvent] = [
        *[events.conversation_erased(workspace_id, id_) for id_ in ids],
        *[events.contact_erased(workspace_id, id_) for id_ in gone],
        *[events.contact_renamed(workspace_id, contact) for contact in stays],
    ]
    tag_ids = {tag_id for conversation in doomed for tag_id in conversation.tag_ids}
    living = await tags.hold(transaction, tag_ids)
    counted = differences([Movement(None, one) for one in doomed], living)
    taken = {key: Tally(*(-count for count in tally)) for key, tally in counted.items()}
    await publish(means, transaction, [*told, *await count(transaction, workspace_id, taken)])


async def forget_contact(
    means: Means, transaction: Transaction, workspace_id: WorkspaceId, contact_id: str
) -> None:
    """Drop a contact once its conversations are gone; a repeat drops nothing. Event: ContactErased.

    One whose customer came back meanwhile stays, as new as the customer. Event: ContactChanged.
    """
    if await known_contacts.find(transaction, contact_id) is None:
        return
    at = means.clock.now()
    returned = await store.conversations_of(transaction, contact_id)
    if not returned:
        gone = [contact_id, *await _remove_contacts(transaction, [contact_id], at=at)]
        told = [events.contact_erased(workspace_id, id_) for id_ in gone]
        await publish(means, transaction, told)
        return
    renewed = as_new((await conversations.lock(transaction, returned[0])).contact)
    merged = await store.merged_into(transaction, [contact_id])
    await _remove_contacts(transaction, merged, at=at)
    await _erase_told(transaction, [contact_id], at=at)
    await store.remove_profiles(transaction, [contact_id])
    await contact_store.save(transaction, [renewed])
    await publish(means, transaction, [events.contact_renamed(workspace_id, renewed)])


async def _remove_contacts(
    transaction: Transaction, contact_ids: Sequence[str], *, at: datetime
) -> list[str]:
    """Remove contacts that have no conversation, with those merged into them, which are given."""
    merged = await store.merged_into(transaction, contact_ids)
    gone = [*contact_ids, *merged]
    await _erase_told(transaction, gone, at=at)
    await store.remove_contacts(transaction, gone)
    return merged


async def _erase_told(
    transaction: Transaction, contact_ids: Sequence[str], *, at: datetime
) -> None:
    """Erase what audit and log tell of contacts and of the notes on them."""
    note_ids = await store.notes_on(transaction, contact_ids)
    await audit.erase(transaction, "contact", contact_ids, at=at)
    await audit.erase(transaction, "contact_note", note_ids, at=at)
    await erasing.erase_events(transaction, [*contact_ids, *note_ids])


async def _keep(
    transaction: Transaction, doomed: Sequence[Conversation], stays: Sequence[Contact]
) -> None:
    """Contacts with other conversations lose the identities of those that are gone."""
    kept = {identity.key for contact in stays for identity in contact.identities}
    had = {
        identity.key
        for conversation in doomed
        if conversation.contact.id in {contact.id for contact in stays}
        for identity in conversation.contact.identities
    }
    await store.remove_identities(transaction, sorted(had - kept))
    await contact_store.save(transaction, stays)


def _newest_seq(conversation: Conversation) -> int:
    return conversation.preview.seq if conversation.preview else 0
