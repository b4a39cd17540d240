"""What is known of contacts: looked at, changed, and two made one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chassis import audit
from chassis.auth import Caller
from chassis.database import Transaction
from chassis.errors import FieldInvalid
from services.conversation import events
from services.conversation.actions import audited
from services.conversation.actions.changes import publish
from services.conversation.actions.means import Means
from services.conversation.mapping import author_of
from services.conversation.model import merging
from services.conversation.model import profile as rules
from services.conversation.model.faults import ConversationNotFound, TagNotFound
from services.conversation.model.profile import Consent, ConsentState, ContactField, KnownContact
from services.conversation.model.thread import ChannelKind
from services.conversation.store import known_contacts, requests, tags


async def get_contact(means: Means, caller: Caller, contact_id: str) -> KnownContact:
    """The contact that an id stands for. Raises: ContactNotFound."""
    async with means.database.read(caller.workspace) as reading:
        return await known_contacts.get(reading, contact_id)


async def update_contact(
    means: Means,
    caller: Caller,
    contact_id: str,
    *,
    request_id: str,
    display_name: str | None,
    email: str | None,
    phone: str | None,
    language: str | None,
    expected_version: int,
) -> KnownContact:
    """Change what is given. A repeat of the request gives the contact as it is now.

    Raises: ContactNotFound, VersionConflict, IdempotencyKeyReused.
    """

    def rule(known: KnownContact) -> KnownContact:
        return rules.update(
            known,
            display_name=display_name,
            email=email,
            phone=phone,
            language=language,
            expected_version=expected_version,
        )

    content = (display_name, email, phone, language)
    async with means.database.begin(caller.workspace) as transaction:
        change = _Change(means, transaction, caller, "UpdateContact", request_id)
        return await change.make(contact_id, content, rule)


async def tag_contact(
    means: Means,
    caller: Caller,
    contact_id: str,
    tag: str,
    *,
    request_id: str,
    expected_version: int,
) -> KnownContact:
    """Give a contact a label, a tag named by id or key.

    A repeat, or a tag that it has, changes nothing and returns the contact.
    Raises: ContactNotFound, TagNotFound, PriorityNotForContacts, VersionConflict, ContactFull,
    IdempotencyKeyReused.
    """
    async with means.database.begin(caller.workspace) as transaction:
        [tag_id] = await tags.ids_of(transaction, [tag])
        rules.check_tag(tag_id)
        before = await known_contacts.lock(transaction, contact_id)
        living = await tags.hold(transaction, {*before.profile.tag_ids, tag_id})

        def rule(known: KnownContact) -> KnownContact:
            if tag_id not in living:
                raise TagNotFound(tag)
            return rules.tag(known, tag_id, living=living, expected_version=expected_version)

        change = _Change(means, transaction, caller, "TagContact", request_id)
        return await change.make(contact_id, (tag_id,), rule)


async def untag_contact(
    means: Means,
    caller: Caller,
    contact_id: str,
    tag: str,
    *,
    request_id: str,
    expected_version: int,
) -> KnownContact:
    """Take a label from a contact.

    A repeat, or a tag that it does not have, changes nothing and returns the contact.
    Raises: ContactNotFound, TagNotFound, VersionConflict, IdempotencyKeyReused.
    """
    async with means.database.begin(caller.workspace) as transaction:
        [tag_id] = await tags.ids_of(transaction, [tag])
        change = _Change(means, transaction, caller, "UntagContact", request_id)
        return await change.make(
            contact_id,
            (tag_id,),
            lambda known: rules.untag(known, tag_id, expected_version=expected_version),
        )


async def set_field(
    means: Means,
    caller: Caller,
    contact_id: str,
    *,
    request_id: str,
    key: str,
    value: str,
    source_conversation_id: str,
    source_seq: int,
    expected_version: int,
) -> KnownContact:
    """Write a detail down; without a contact, of the one whose conversation it was read from.

    A repeat, or a value that it has, changes nothing and returns the contact.
    Raises: ContactNotFound, ConversationNotFound, FieldInvalid, VersionConflict, ContactFull,
    ContactFieldOfMember, IdempotencyKeyReused.
    """
    field = ContactField(
        key,
        value,
        author_of(caller),
        means.clock.now(),
        source_conversation_id=source_conversation_id,
        source_seq=source_seq,
    )
    content = (key, value, source_conversation_id, source_seq)
    async with means.database.begin(caller.workspace) as transaction:
        if source_conversation_id:
            contact_id = await _whose(transaction, source_conversation_id, contact_id)
        change = _Change(means, transaction, caller, "SetContactField", request_id)
        return await change.make(
            contact_id,
            content,
            lambda known: rules.set_field(known, field, expected_version=expected_version),
        )


async def delete_field(
    means: Means,
    caller: Caller,
    contact_id: str,
    key: str,
    *,
    request_id: str,
    expected_version: int,
) -> KnownContact:
    """Forget a detail. A repeat of the request gives the contact as it is now.

    Raises: ContactNotFound, ContactFieldNotFound, VersionConflict, IdempotencyKeyReused.
    """
    async with means.database.begin(caller.workspace) as transaction:
        change = _Change(means, transaction, caller, "DeleteContactField", request_id)
        return await change.make(
            contact_id,
            (key,),
            lambda known: rules.delete_field(known, key, expected_version=expected_version),
        )


async def record_consent(
    means: Means,
    caller: Caller,
    contact_id: str,
    *,
    request_id: str,
    purpose: str,
    channel_kind: ChannelKind | None,
    state: ConsentState,
    source: str,
    consent_time: datetime | None,
    expected_version: int,
) -> KnownContact:
    """Write down what a contact said about being contacted, now unless it was before.

    A repeat, or what is older than what is known, changes nothing and returns the contact.
    Raises: ContactNotFound, FieldInvalid, VersionConflict, ContactFull, IdempotencyKeyReused.
    """
    at = means.clock.now()
    if consent_time is not None and consent_time > at:
        raise FieldInvalid("consent_time", "must not be in the future")
    said_at = consent_time or at
    consent = Consent(purpose, channel_kind, state, source, author_of(caller), said_at)
    content = (purpose, channel_kind and channel_kind.value, state.value, source, consent_time)
    async with means.database.begin(caller.workspace) as transaction:
        change = _Change(means, transaction, caller, "RecordConsent", request_id)
        return await change.make(
            contact_id,
            content,
            lambda known: rules.record_consent(known, consent, expected_version=expected_version),
        )


async def merge_contacts(
    means: Means,
    caller: Caller,
    contact_id: str,
    merged_id: str,
    *,
    request_id: str,
    expected_version: int,
    expected_merged_version: int,
) -> KnownContact:
    """Make one contact part of another, with its identities, conversations and notes, for good.

    A repeat, or two that are one already, changes nothing and returns the contact.
    Raises: ContactNotFound, ContactMergedIntoItself, VersionConflict, ContactFull,
    IdempotencyKeyReused.
    """
    merging.check_different(contact_id, merged_id)
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        await known_contacts.lock_conversations(transaction, merged_id)
        stays, goes = await known_contacts.lock_many(transaction, [contact_id, merged_id])
        done = await requests.remember(
            transaction,
            request_id,
            "MergeContacts",
            contact_id,
            merged_id,
            entity_id=stays.id,
            at=at,
        )
        if done is not None or stays.id == goes.id:
            return stays
        known, left = merging.merge(
            stays,
            goes,
            expected_version=expected_version,
            expected_merged_version=expected_merged_version,
        )
        await known_contacts.save_merged(transaction, known, left)
        kept = [audited.contact_changed(stays, known), audited.contact_merged(goes, left)]
        await audit.append(transaction, caller, audited.MERGE_CONTACTS, kept, at=at)
        told = events.contacts_merged(caller.workspace, known, left, author_of(caller))
        await publish(means, transaction, [told])
    return known


class _Change:
    """One request that changes one contact."""

    def __init__(
        self,
        means: Means,
        transaction: Transaction,
        caller: Caller,
        method: str,
        request_id: str,
    ) -> None:
        self._means = means
        self._transaction = transaction
        self._caller = caller
        self._method = method
        self._request_id = request_id

    async def make(
        self,
        contact_id: str,
        content: tuple[object, ...],
        rule: Callable[[KnownContact], KnownContact],
    ) -> KnownContact:
        """Lock, change, save, audit and tell, once for a request id.

        Raises: ContactNotFound, IdempotencyKeyReused, and what the rule raises.
        """
        at = self._means.clock.now()
        before = await known_contacts.lock(self._transaction, contact_id)
        done = await requests.remember(
            self._transaction,
            self._request_id,
            self._method,
            contact_id,
            *content,
            entity_id=before.id,
            at=at,
        )
        if done is not None:
            return before
        after = rule(before)
        if after is not before:
            await known_contacts.save(self._transaction, after)
            kept = [audited.contact_changed(before, after)]
            command = f"ContactService/{self._method}"
            await audit.append(self._transaction, self._caller, command, kept, at=at)
            author = author_of(self._caller)
            told = events.contact_changed(self._caller.workspace, after, author)
            await publish(self._means, self._transaction, [told])
        return after


async def _whose(transaction: Transaction, conversation_id: str, contact_id: str) -> str:
    """The contact of a conversation. Raises: ConversationNotFound, FieldInvalid."""
    found = await known_contacts.of_conversation(transaction, conversation_id)
    if found is None:
        raise ConversationNotFound(conversation_id)
    if contact_id and (await known_contacts.get(transaction, contact_id)).id != found:
        raise FieldInvalid("source_conversation_id", "must be a conversation of the contact")
    return contact_id or found
