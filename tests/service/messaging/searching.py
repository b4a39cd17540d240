"""What tests of search say: people talk, the indexer reads along, somebody looks for something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chassis import sequencer
from chassis.database import Database
from chassis.ids import WorkspaceId
from chassis.words import words_of
from inbox.messaging import v1
from services.messaging.actions import text_index
from services.messaging.actions.text_index import Step
from services.messaging.model.channel import ChannelId
from services.messaging.model.words import endings_of
from tests.fakes import FakeClock
from tests.service.messaging.desk import Desk

SAID = """
SELECT id::text, text, create_time FROM messages
WHERE workspace_id = $1 AND author_kind <> 'system'
"""
INDEXED = """
SELECT message_id::text AS id, w.word FROM message_texts t, unnest(t.words) AS w(word)
WHERE workspace_id = $1
"""
LISTED = "SELECT message_id::text AS id, word FROM message_words WHERE workspace_id = $1"
KNOWN = "SELECT word, message_count FROM words WHERE workspace_id = $1"
ENDINGS = "SELECT ending, word FROM word_endings WHERE workspace_id = $1"


async def number_events(worker: Database) -> None:
    """The relay's part: give waiting events their positions."""
    connection = await worker.connect()
    await sequencer.prepare(connection)
    while await sequencer.sequence(connection):
        pass
    await connection.close()


async def index(worker: Database) -> list[Step]:
    """Let the indexer catch up; what its steps did."""
    await number_events(worker)
    steps: list[Step] = []
    while (progress := await text_index.step(worker)).step is not Step.NOTHING:
        steps.append(progress.step)
    return steps


@dataclass
class Talk:
    """Customers who write on one channel of a workspace, a minute between two messages."""

    desk: Desk
    clock: FakeClock
    channel_id: ChannelId

    async def hears(self, *texts: str, customer: str = "ana") -> str:
        """A customer writes; returns the conversation once everything can be found."""
        for text in texts:
            stored = await self.desk.customer_writes(self.channel_id, text, customer=customer)
            self.clock.advance(timedelta(minutes=1))
        await index(self.desk.means.worker)
        return stored.message.conversation_id

    async def answers(self, conversation_id: str, text: str) -> v1.Message:
        message = await self.desk.sends(conversation_id, text)
        self.clock.advance(timedelta(minutes=1))
        await index(self.desk.means.worker)
        return message


async def search(desk: Desk, query: str, **fields: Any) -> v1.SearchMessagesResponse:
    return await desk.maria.SearchMessages(v1.SearchMessagesRequest(query=query, **fields))


async def found(desk: Desk, query: str, **fields: Any) -> list[str]:
    """The snippets of a page, as they stand there."""
    return [one.snippet for one in (await search(desk, query, **fields)).messages]


def highlighted(message: v1.FoundMessage) -> list[str]:
    """The words that are marked, cut out the way the contract says."""
    units = message.snippet.encode("utf-16-le")
    return [
        units[2 * one.start : 2 * (one.start + one.length)].decode("utf-16-le")
        for one in message.highlights
    ]


async def what_is_wrong(worker: Database, workspace_id: WorkspaceId) -> list[str]:
    """How the index differs from what a reader of all messages would write down."""
    async with worker.begin(workspace_id) as transaction:
        fetch = transaction.raw.fetch
        said = {row["id"]: words_of(row["text"]) for row in await fetch(SAID, workspace_id)}
        indexed = await fetch(INDEXED, workspace_id)
        listed = await fetch(LISTED, workspace_id)
        known = {row["word"]: row["message_count"] for row in await fetch(KNOWN, workspace_id)}
        endings = await fetch(ENDINGS, workspace_id)
    expected = sorted((message_id, word) for message_id, words in said.items() for word in words)
    counts = {word: sum(word in words for words in said.values()) for _, word in expected}
    expected_endings = sorted((ending, word) for word in counts for ending in endings_of(word))
    return [
        name
        for name, is_right in {
            "texts": sorted(map(tuple, indexed)) == expected,
            "words": sorted(map(tuple, listed)) == expected,
            "counts": known == counts,
            "endings": sorted(map(tuple, endings)) == sorted(set(expected_endings)),
        }.items()
        if not is_right
    ]
