"""The conversation: what it holds, what of it is published, and whether a caller saw it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import VersionConflict
from services.conversation.model.contact import Contact
from services.conversation.model.tags import PRIORITY
from services.conversation.model.thread import ChannelKind, Hold, Mode, Preview


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
    """Inbound messages up to this one were known when it was last solved or archived."""
    mode: Mode
    mode_epoch: int
    log_epoch: str
    """The life of messaging's database the projected fields stand under."""
    create_time: datetime
    tag_ids: tuple[str, ...] = ()
    """Sorted, so that equal conversations look equal. May hold ids of tags that were deleted."""
    assignee_id: str | None = None
    """The member who looks after it."""
    waiting_since: datetime | None = None
    """Since when it waits for a person, because the AI handed it over."""
    hold: Hold | None = None
    """Which person has it."""
    thread_version: int = 0
    """What `waiting_since` and `hold` are of."""
    version: int = 1

    @property
    def unread_count(self) -> int:
        """Arithmetic, so nothing can drift (I12)."""
        return max(0, self.inbound_count - self.read_ordinal)

    @property
    def is_unread(self) -> bool:
        """Whether a message came in that nobody saw."""
        return self.unread_count > 0

    @property
    def is_waiting(self) -> bool:
        """Whether the AI handed it over and no person has come since."""
        return self.waiting_since is not None

    @property
    def is_priority(self) -> bool:
        """The star: it and the built-in tag are one fact."""
        return PRIORITY.id in self.tag_ids

    @property
    def is_silenced(self) -> bool:
        """Whether the AI must not answer and nobody may be notified."""
        return self.folder is Folder.SPAM

    @property
    def last_activity_time(self) -> datetime:
        """When the newest message was committed; the list is sorted by it."""
        return self.preview.create_time if self.preview else self.create_time


class Change(enum.Enum):
    """A change of what conversation owns; each is published exactly once."""

    OPENED = "opened"
    SOLVED = "solved"
    REOPENED = "reopened"
    MOVED = "moved"
    READ = "read"
    MARKED_UNREAD = "marked_unread"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ASSIGNED = "assigned"


MOVES = {Folder.OPEN: Change.REOPENED, Folder.SOLVED: Change.SOLVED}
"""Where going to a folder has a name of its own."""


def changes_between(before: Conversation | None, after: Conversation) -> tuple[Change, ...]:
    """What of the owned fields changed, as the facts to publish."""
    if before is None:
        return (Change.OPENED,)
    changes: list[Change] = []
    if before.folder is not after.folder:
        changes.append(MOVES.get(after.folder, Change.MOVED))
    if before.read_ordinal != after.read_ordinal:
        # After a restore the mark falls with the messages below it: nothing becomes unread.
        is_read = after.read_ordinal > before.read_ordinal or not after.is_unread
        changes.append(Change.READ if is_read else Change.MARKED_UNREAD)
    if set(after.tag_ids) - set(before.tag_ids):
        changes.append(Change.TAGGED)
    elif before.tag_ids != after.tag_ids:
        changes.append(Change.UNTAGGED)
    if before.assignee_id != after.assignee_id:
        changes.append(Change.ASSIGNED)
    return tuple(changes)


def tag_between(before: Conversation, after: Conversation) -> str:
    """The tag that was given, or else the one that was taken; empty where none was."""
    had, has = set(before.tag_ids), set(after.tag_ids)
    return min((has - had) or (had - has), default="")


def check_version(conversation: Conversation, expected_version: int) -> None:
    """0 does not check. Raises: VersionConflict."""
    if expected_version not in (0, conversation.version):
        raise VersionConflict(expected_version, conversation.version)
