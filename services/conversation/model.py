"""Contacts, conversations, and the rules by which messages and people move them.

A conversation holds two kinds of fields. What it *owns* (folder, read mark, which contact) changes
by a person or by a rule here, raises `version` and is published. What it *projects* (preview, mode,
inbound count) belongs to messaging and travels under messaging's own versions, so it may be applied
twice, late or out of order and always comes to the same.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.errors import Aborted, NotFound, OutOfRange, VersionConflict
from chassis.ids import derived_id

MAX_PREVIEW_CHARACTERS = 140
MAX_READ_LEAD = 1000
"""How far a read mark may be ahead of the inbound messages projected so far. A client that reads
messaging's stream sees a message before the projection does; a mark from nowhere would swallow
every unread badge to come, and marks never fall."""


class Folder(enum.Enum):
    """Where a conversation lies."""

    OPEN = "open"
    SOLVED = "solved"
    SPAM = "spam"
    ARCHIVED = "archived"


class ChannelKind(enum.Enum):
    """The kinds of channel a customer can write on."""

    WEB_CHAT = "web_chat"
    SIMULATOR = "simulator"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"
    TELEGRAM = "telegram"


class Mode(enum.Enum):
    """Who answers."""

    AI = "ai"
    MANUAL = "manual"


class AuthorKind(enum.Enum):
    """Who wrote a message or made a change."""

    CUSTOMER = "customer"
    MEMBER = "member"
    AI = "ai"
    PHONE_APP = "phone_app"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change, as they were then."""

    kind: AuthorKind
    id: str = ""
    display_name: str = ""


SYSTEM = Author(AuthorKind.SYSTEM)


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


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer; keyed by channel identities, never by a phone number."""

    id: str
    display_name: str
    identities: tuple[Identity, ...]
    """Sorted by channel, then external id, so that equal contacts look equal."""
    create_time: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Preview:
    """The newest message, as the list shows it; the one with the higher seq is the newer."""

    seq: int
    author_kind: AuthorKind
    text: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """One customer's conversation on one channel; its id is the thread's."""

    id: str
    contact: Contact
    channel_id: str
    channel_kind: ChannelKind
    folder: Folder
    preview: Preview | None
    inbound_count: int
    read_ordinal: int
    solved_ordinal: int
    """Inbound messages up to this one were known when it was last solved."""
    mode: Mode
    mode_epoch: int
    log_epoch: str
    """The life of messaging's database the projected fields stand under."""
    create_time: datetime
    version: int = 1

    @property
    def unread_count(self) -> int:
        """Arithmetic, so nothing can drift (I12)."""
        return max(0, self.inbound_count - self.read_ordinal)

    @property
    def last_activity_time(self) -> datetime:
        """When the newest message was committed; the list is sorted by it."""
        return self.preview.create_time if self.preview else self.create_time


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What one event, or one snapshot entity, of messaging says about a thread."""

    conversation_id: str
    channel_id: str
    channel_kind: ChannelKind
    external_id: str
    customer_name: str
    mode: Mode
    mode_epoch: int
    inbound_count: int
    create_time: datetime
    thread_version: int
    log_epoch: str
    preview: Preview | None = None

    @property
    def identity_key(self) -> tuple[str, str]:
        """Whose thread it is."""
        return (self.channel_id, self.external_id)


class Change(enum.Enum):
    """A change of what conversation owns; each is published exactly once."""

    OPENED = "opened"
    SOLVED = "solved"
    REOPENED = "reopened"
    READ = "read"


@dataclass(eq=False)
class ConversationNotFound(NotFound):
    """No such conversation, or not for this caller."""

    conversation_id: str
    reason = "CONVERSATION_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no conversation {self.conversation_id} for this credential"


@dataclass(eq=False)
class CustomerWroteMeanwhile(Aborted):
    """Solving would hide a message the caller has not seen."""

    seen_inbound_count: int
    inbound_count: int
    reason = "VERSION_CONFLICT"

    def __str__(self) -> str:
        return (
            f"the customer wrote since: {self.inbound_count} messages came in, the caller saw "
            f"{self.seen_inbound_count}; read them and decide anew"
        )


@dataclass(eq=False)
class ReadMarkAhead(OutOfRange):
    """The read mark names a message far beyond those that came in."""

    read_ordinal: int
    inbound_count: int
    reason = "INVALID_ARGUMENT"

    def __str__(self) -> str:
        return (
            f"read_ordinal {self.read_ordinal} is beyond the {self.inbound_count} messages that "
            "came in; send the inbound_ordinal of the newest message seen"
        )


def preview_text(text: str) -> str:
    """The beginning of a message on one line: runs of white space become single spaces."""
    return " ".join(text.split())[:MAX_PREVIEW_CHARACTERS]


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


def open_conversation(contact: Contact, facts: ThreadFacts) -> Conversation:
    """The conversation a thread's first fact makes."""
    return Conversation(
        id=facts.conversation_id,
        contact=contact,
        channel_id=facts.channel_id,
        channel_kind=facts.channel_kind,
        folder=Folder.OPEN,
        preview=facts.preview,
        inbound_count=facts.inbound_count,
        read_ordinal=0,
        solved_ordinal=0,
        mode=facts.mode,
        mode_epoch=facts.mode_epoch,
        log_epoch=facts.log_epoch,
        create_time=facts.create_time,
    )


def project(conversation: Conversation, facts: ThreadFacts) -> Conversation:
    """The conversation with what messaging says; a maximum per field, so order is no matter.

    An inbound message beyond those known when it was solved opens it again: a rule of its own,
    so it raises the version.
    """
    if conversation.log_epoch != facts.log_epoch:
        conversation = _start_again(conversation, facts)
    preview, mode, mode_epoch = conversation.preview, conversation.mode, conversation.mode_epoch
    if facts.preview and (preview is None or facts.preview.seq > preview.seq):
        preview = facts.preview
    if facts.mode_epoch > mode_epoch:
        mode, mode_epoch = facts.mode, facts.mode_epoch
    projected = replace(
        conversation,
        preview=preview,
        mode=mode,
        mode_epoch=mode_epoch,
        inbound_count=max(conversation.inbound_count, facts.inbound_count),
    )
    if projected.folder is Folder.SOLVED and projected.inbound_count > projected.solved_ordinal:
        return replace(projected, folder=Folder.OPEN, version=projected.version + 1)
    return projected


def solve(
    conversation: Conversation, *, expected_version: int = 0, seen_inbound_count: int = 0
) -> Conversation:
    """Move it to Solved; the same object comes back where nothing changes.

    Raises: VersionConflict, CustomerWroteMeanwhile.
    """
    if conversation.folder is Folder.SOLVED:
        return conversation
    _check_version(conversation, expected_version)
    if 0 < seen_inbound_count < conversation.inbound_count:
        raise CustomerWroteMeanwhile(seen_inbound_count, conversation.inbound_count)
    # Who solves may have seen messages that are not projected yet; those do not reopen it.
    seen = min(max(seen_inbound_count, conversation.read_ordinal), _furthest(conversation))
    return replace(
        conversation,
        folder=Folder.SOLVED,
        solved_ordinal=max(conversation.inbound_count, seen),
        version=conversation.version + 1,
    )


def reopen(conversation: Conversation, *, expected_version: int = 0) -> Conversation:
    """Move it to Open; the same object comes back where nothing changes.

    Raises: VersionConflict.
    """
    if conversation.folder is Folder.OPEN:
        return conversation
    _check_version(conversation, expected_version)
    return replace(conversation, folder=Folder.OPEN, version=conversation.version + 1)


def mark_read(conversation: Conversation, read_ordinal: int) -> Conversation:
    """Raise the read mark; a lower one changes nothing and gives the same object.

    Raises: ReadMarkAhead.
    """
    if read_ordinal <= conversation.read_ordinal:
        return conversation
    if read_ordinal > _furthest(conversation):
        raise ReadMarkAhead(read_ordinal, conversation.inbound_count)
    return replace(conversation, read_ordinal=read_ordinal, version=conversation.version + 1)


def changes_between(before: Conversation | None, after: Conversation) -> tuple[Change, ...]:
    """What of the owned fields changed, as the facts to publish."""
    if before is None:
        return (Change.OPENED,)
    changes: list[Change] = []
    if before.folder is not after.folder:
        changes.append(Change.SOLVED if after.folder is Folder.SOLVED else Change.REOPENED)
    if before.read_ordinal != after.read_ordinal:
        changes.append(Change.READ)
    return tuple(changes)


def _start_again(conversation: Conversation, facts: ThreadFacts) -> Conversation:
    """Messaging's database was restored from a backup: its versions count from an earlier point.

    What it says now replaces what it said before, and marks may not stand beyond it, or the
    next messages would come in as read, or would not reopen.
    """
    conversation = replace(
        conversation,
        log_epoch=facts.log_epoch,
        preview=facts.preview,
        mode=facts.mode,
        mode_epoch=facts.mode_epoch,
        inbound_count=facts.inbound_count,
        solved_ordinal=min(conversation.solved_ordinal, facts.inbound_count),
    )
    if conversation.read_ordinal <= facts.inbound_count:
        return conversation
    return replace(conversation, read_ordinal=facts.inbound_count, version=conversation.version + 1)


def _furthest(conversation: Conversation) -> int:
    return conversation.inbound_count + MAX_READ_LEAD


def _check_version(conversation: Conversation, expected_version: int) -> None:
    if expected_version not in (0, conversation.version):
        raise VersionConflict(expected_version, conversation.version)
