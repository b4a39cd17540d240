"""Searching messages by what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis import sequencer
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId
from services.messaging.model.faults import ChannelNotFound, ConversationNotFound
from services.messaging.model.search import (
    Look,
    SearchableMessage,
    SearchPlace,
    SearchQuery,
    SearchRank,
    SoughtWord,
    look_for,
)
from services.messaging.model.snippet import Snippet, snippet_of
from services.messaging.model.words import MIN_PART_LENGTH, typos_of
from services.messaging.store import channels, history, search, text_index

LOOK_AT = (512, 4_096, 8_192)
"""Messages that the statements of one call look at: most calls need only the first."""
BEGINNING_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
LOWEST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Hit:
    """One message, and why it was found."""

    message: SearchableMessage
    snippet: Snippet
    rank: SearchRank


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of a search."""

    hits: list[Hit]
    """By rank, the newest first within one."""
    next_place: SearchPlace | None
    """Where the next page begins; None after the last."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the index has come."""

    up_to: datetime | None
    """When the newest event that is in it was committed; None before the first."""
    is_rebuilding: bool


async def search_messages(
    database: Database,
    workspace_id: WorkspaceId,
    query: SearchQuery,
    *,
    after: SearchPlace | None,
    page_size: int,
) -> Hits:
    """A page of the messages that fit, best first.

    A page may be short and not be the last: the work of one call has a bound.
    Raises: ConversationNotFound, ChannelNotFound.
    """
    async with database.begin(workspace_id) as transaction:
        await _refuse_unless_there(transaction, query)
        return await _Search(transaction, query, page_size).run(after)


async def freshness(worker: Database, clock: Clock) -> Freshness:
    """How far the index has come; asked before a search, so that it promises nothing too much."""
    now = clock.now()
    async with worker.begin() as transaction:
        index = await text_index.read(transaction)
        log = await sequencer.stand(transaction.raw)
    is_caught_up = index.gpos == log.last_gpos and not log.has_waiting
    return Freshness(now if is_caught_up else index.event_time, index.walk is not None)


async def _refuse_unless_there(transaction: Transaction, query: SearchQuery) -> None:
    conversation_id, channel_id = query.conversation_id, query.channel_id
    if conversation_id and await history.get_thread(transaction, conversation_id) is None:
        raise ConversationNotFound(conversation_id=conversation_id)
    if channel_id and await channels.read(transaction, channel_id) is None:
        raise ChannelNotFound(channel_id=channel_id)


class _Search:
    """One call: rank after rank, until the page is full or enough was looked at."""

    def __init__(self, transaction: Transaction, query: SearchQuery, page_size: int) -> None:
        self._transaction = transaction
        self._query = query
        self._page_size = page_size
        self._sought = [SoughtWord(word) for word in query.words]
        self._hits: list[Hit] = []

    async def run(self, after: SearchPlace | None) -> Hits:
        top = (self._query.until or END_OF_TIME, LOWEST_ID)
        before: tuple[datetime, str] | None = top
        if after is not None:
            before = (after.create_time, after.message_id)
        budget = iter(LOOK_AT)
        for rank in SearchRank:
            await self._learn(rank)
            if after is not None and rank < after.rank:
                continue
            look = look_for(self._sought, rank)
            while look is not None and before is not None:
                look_at = next(budget, None)
                if look_at is None:
                    return Hits(self._hits, SearchPlace(rank, *before))
                before = await self._find(look, rank, before, look_at)
                if len(self._hits) > self._page_size:
                    return self._full_page()
            before = top
        return Hits(self._hits, None)

    async def _learn(self, rank: SearchRank) -> None:
        """Find out which words of the workspace the query's words stand for at a rank."""
        for sought in self._sought:
            known = sought.up_to(rank)
            said = await self._said(sought.word, rank)
            sought.stand_ins[rank] = {
                word: count for word, count in said.items() if word not in known
            }

    async def _said(self, word: str, rank: SearchRank) -> Mapping[str, int]:
        match rank:
            case SearchRank.WORDS:
                return await search.known_words(self._transaction, [word])
            case SearchRank.PARTS if len(word) >= MIN_PART_LENGTH:
                return await search.words_with(self._transaction, word)
            case SearchRank.TYPOS if typos := typos_of(word):
                return await search.known_words(self._transaction, typos)
        return {}

    async def _find(
        self, look: Look, rank: SearchRank, before: tuple[datetime, str], look_at: int
    ) -> tuple[datetime, str] | None:
        """Keep what one statement finds; returns where to go on, None where nothing is left."""
        limit = self._page_size + 1 - len(self._hits)
        found = await search.find(
            self._transaction,
            self._query,
            look,
            since=self._query.since or BEGINNING_OF_TIME,
            before=before,
            look_at=look_at,
            limit=limit,
        )
        self._keep(found.messages, rank)
        if len(found.messages) < limit:
            return found.cut
        last = found.messages[-1]
        return last.create_time, last.id

    def _keep(self, messages: Sequence[SearchableMessage], rank: SearchRank) -> None:
        words = {word for sought in self._sought for word in sought.up_to(rank)}
        for message in messages:
            # What the text says now decides: it may have been erased since it was indexed.
            snippet = snippet_of(message.text, words)
            if snippet is not None:
                self._hits.append(Hit(message, snippet, rank))

    def _full_page(self) -> Hits:
        hits = self._hits[: self._page_size]
        last = hits[-1]
        return Hits(hits, SearchPlace(last.rank, last.message.create_time, last.message.id))
