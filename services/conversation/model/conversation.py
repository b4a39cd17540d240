"""The conversation: what it holds, what of it is published, and whether a caller saw it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import VersionConflict
from services.conversation.model.contact import Contact
from services.conversation.model.thread import ChannelKind, Mode, Preview


class Folder(enum.Enum):
    """Where a conversation lies."""

    OPEN = "open"
    SOLVED = "solved"
    SPAM = "spam"
    ARCHIVED = "archived"


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


class Change(enum.Enum):
    """A change of what conversation owns; each is published exactly once."""

    OPENED = "opened"
    SOLVED = "solved"
    REOPENED = "reopened"
    READ = "read"


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


def check_version(conversation: Conversation, expected_version: int) -> None:
    """0 does not check. Raises: VersionConflict."""
    if expected_version not in (0, conversation.version):
        raise VersionConflict(expected_version, conversation.version)
