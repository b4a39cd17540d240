"""Customers and how the channels call them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chassis.ids import derived_id
from services.conversation.model.thread import ChannelKind, ThreadFacts


@dataclass(frozen=True, slots=True)
class Identity:
    """A customer on one channel."""

    channel_id: str
    channel_kind: ChannelKind
    external_id: str
    channel_name: str = ""
    """The name the channel gives for them."""
    name_version: int = 0
    """The thread's version that brought the name."""
    log_epoch: str = ""
    """The life of messaging's database that version belongs to."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it this identity and no other within a workspace."""
        return (self.channel_id, self.external_id)

    @property
    def conversation_id(self) -> str:
        """The conversation it has, or would have: the id follows from the identity (ADR 7)."""
        return derived_id("conversation", self.channel_id, self.external_id)


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer; keyed by channel identities, never by a phone number."""

    id: str
    display_name: str
    identities: tuple[Identity, ...]
    """Sorted by channel, then external id, so that equal contacts look equal."""
    create_time: datetime
    version: int = 1
    merged_into_id: str = ""
    """The contact that it became part of; empty for all others."""


def new_contact(workspace_id: str, facts: ThreadFacts) -> Contact:
    """The contact a thread's identity makes when nobody has it yet.

    The id follows from the identity, so a database that is built anew from messaging's
    snapshot gives every customer the id that links and browsers know.
    """
    identity = Identity(
        facts.channel_id,
        facts.channel_kind,
        facts.external_id,
        channel_name=facts.customer_name,
        name_version=facts.thread_version,
        log_epoch=facts.log_epoch,
    )
    return Contact(
        id=derived_id("contact", workspace_id, facts.channel_id, facts.external_id),
        display_name=facts.customer_name,
        identities=(identity,),
        create_time=facts.create_time,
    )


def rename(contact: Contact, facts: ThreadFacts) -> Contact:
    """The contact after a thread said what its channel calls the customer.

    A name that a person gave stays: only one that came from this identity follows it.
    """
    known = next(i for i in contact.identities if i.key == facts.identity_key)
    is_newer = known.log_epoch != facts.log_epoch or facts.thread_version > known.name_version
    if facts.customer_name == known.channel_name or not is_newer:
        return contact
    renamed = replace(
        known,
        channel_name=facts.customer_name,
        name_version=facts.thread_version,
        log_epoch=facts.log_epoch,
    )
    contact = replace(
        contact,
        identities=tuple(renamed if i is known else i for i in contact.identities),
    )
    if contact.display_name != known.channel_name:
        return contact
    return replace(contact, display_name=renamed.channel_name, version=contact.version + 1)


def without_conversation(contact: Contact, conversation_id: str) -> Contact:
    """The contact after the conversation of one of its identities was erased."""
    left = tuple(i for i in contact.identities if i.conversation_id != conversation_id)
    return replace(contact, identities=left, version=contact.version + 1)


def as_new(contact: Contact) -> Contact:
    """The contact as its identities alone would make it."""
    name = contact.identities[0].channel_name if contact.identities else ""
    return replace(contact, display_name=name, version=contact.version + 1)
