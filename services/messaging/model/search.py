"""Searching: which words of the workspace a query stands for, and what is best."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chassis.words import words_of
from services.messaging.model.channel import ChannelId
from services.messaging.model.faults import QueryTooManyWords, QueryWithoutWords
from services.messaging.model.message import Author, AuthorKind, Direction, MessageId
from services.messaging.model.thread import ConversationId

MAX_QUERY_CHARACTERS = 200
MAX_QUERY_WORDS = 16
MAX_STAND_INS = 64
"""Words that one word of a query stands for at one rank: the ones used most."""
SEARCHED_DIRECTIONS = (Direction.INBOUND, Direction.OUTBOUND)
"""Rows that never left the house are not what anybody said."""
UNSEARCHED_AUTHORS = (AuthorKind.SYSTEM,)


class SearchRank(enum.IntEnum):
    """How well a message fits; the numbers are the contract's."""

    WORDS = 1
    PARTS = 2
    TYPOS = 3


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is looked for, and where."""

    words: Sequence[str]
    conversation_id: str = ""
    channel_id: str = ""
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SearchPlace:
    """Behind which message a search goes on; all of better ranks is shown already."""

    rank: SearchRank
    create_time: datetime
    message_id: str


@dataclass(frozen=True, slots=True)
class SearchableMessage:
    """A message that can be found, with its text as it is now and the names of its files."""

    id: MessageId
    conversation_id: ConversationId
    seq: int
    channel_id: ChannelId
    direction: Direction
    author: Author
    create_time: datetime
    text: str


@dataclass(slots=True)
class SoughtWord:
    """One word of a query, and the workspace's words it stands for."""

    word: str
    stand_ins: dict[SearchRank, Mapping[str, int]] = field(default_factory=dict)
    """By rank: the words that are new there, and in how many messages each is."""

    def up_to(self, rank: SearchRank) -> dict[str, int]:
        """Everything it stands for at a rank or better."""
        return {
            word: count
            for one, words in self.stand_ins.items()
            if one <= rank
            for word, count in words.items()
        }


@dataclass(frozen=True, slots=True)
class Look:
    """What the index is asked for at one rank."""

    drivers: Sequence[str]
    """Every message that fits has one of these."""
    required: Sequence[Sequence[str]]
    """It has one of each of these."""
    better: Sequence[Sequence[str]] | None
    """It does not have one of each of these, for then it has a better rank; None where none can."""


def words_sought(query: str) -> list[str]:
    """The words of a query. Raises: QueryWithoutWords, QueryTooManyWords."""
    words = words_of(query)
    if not words:
        raise QueryWithoutWords
    if len(words) > MAX_QUERY_WORDS:
        raise QueryTooManyWords(count=len(words), max_count=MAX_QUERY_WORDS)
    return words


def look_for(sought: Sequence[SoughtWord], rank: SearchRank) -> Look | None:
    """How to find what fits at exactly this rank; None when nothing can.

    The messages of the rarest word are looked through. At a lower rank one of the words must be
    new there, so the messages of those words may be fewer still.
    """
    allowed = [one.up_to(rank) for one in sought]
    new = {word: count for one in sought for word, count in one.stand_ins[rank].items()}
    if not all(allowed) or not new:
        return None
    drivers = min(new, *allowed, key=lambda words: sum(words.values()))
    better = [list(one.up_to(SearchRank(rank - 1))) for one in sought] if rank > 1 else []
    return Look(
        drivers=list(drivers),
        required=[list(words) for words in allowed],
        better=better if better and all(better) else None,
    )
