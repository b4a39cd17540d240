"""Counters: how many conversations a folder has, and in it each channel and each tag.

They are kept as sums of changes. What a conversation counts for follows from it alone, so a change
adds what it counts for afterwards and takes away what it counted for before.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from services.conversation.model.conversation import Conversation, Folder

ALL = "00000000-0000-0000-0000-000000000000"
"""The subject of a folder's own counter."""


class CounterKind(enum.Enum):
    """Of which part of a folder."""

    FOLDER = "folder"
    CHANNEL = "channel"
    TAG = "tag"


class CounterKey(NamedTuple):
    """Which counter. Whoever changes several does so in the order of these."""

    kind: str
    subject_id: str
    """The channel or the tag; `ALL` for the folder itself."""
    folder: str


class Tally(NamedTuple):
    """Conversations, those of them that are unread, and those that wait for a person; a difference
    may be negative."""

    conversations: int
    unread: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter as it stands."""

    kind: CounterKind
    subject_id: str
    folder: Folder
    tally: Tally
    version: int


class Movement(NamedTuple):
    """A conversation before a change, unless it is new, and after it."""

    before: Conversation | None
    after: Conversation

    @property
    def changes_counters(self) -> bool:
        """Whether it counts for something else than before. Most messages change nothing here."""
        if self.before is None:
            return True
        return _what_counts(self.before) != _what_counts(self.after)


def _what_counts(conversation: Conversation) -> tuple[object, ...]:
    return (
        conversation.folder,
        conversation.is_unread,
        conversation.is_waiting,
        conversation.tag_ids,
    )


def distance(differences: Mapping[CounterKey, Tally]) -> int:
    """How far counters are from what they count, in conversations."""
    return sum(abs(count) for tally in differences.values() for count in tally)


def counted_for(conversation: Conversation, living: AbstractSet[str]) -> Iterator[CounterKey]:
    """The counters a conversation counts for; `living` are the tags that were not deleted."""
    folder = conversation.folder.value
    yield CounterKey(CounterKind.FOLDER.value, ALL, folder)
    yield CounterKey(CounterKind.CHANNEL.value, conversation.channel_id, folder)
    for tag_id in conversation.tag_ids:
        if tag_id in living:
            yield CounterKey(CounterKind.TAG.value, tag_id, folder)


def differences(movements: Iterable[Movement], living: AbstractSet[str]) -> dict[CounterKey, Tally]:
    """What movements change together, in the order of the keys; what cancels out is left away."""
    sums: defaultdict[CounterKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    for movement in movements:
        for sign, conversation in ((-1, movement.before), (1, movement.after)):
            if conversation is None:
                continue
            for key in counted_for(conversation, living):
                sums[key][0] += sign
                sums[key][1] += sign * conversation.is_unread
                sums[key][2] += sign * conversation.is_waiting
    return {key: Tally(*sums[key]) for key in sorted(sums) if any(sums[key])}
