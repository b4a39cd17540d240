"""Keeping the index of what messages say: along the log of events, by a walk, and on an erase.

The index is in the database of the messages themselves, so an effect and how far it has come are
one transaction (I7). It is derived: whatever is missing in it, a walk through all messages adds.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from chassis import sequencer
from chassis.database import Database, Transaction
from chassis.events import Event
from chassis.ids import WorkspaceId
from chassis.words import words_of
from services.messaging.mapping.messages import created_message_id
from services.messaging.model.words import endings_of
from services.messaging.store import text_index as store
from services.messaging.store.text_index import IndexStand, Walk

MAX_BATCH = 500
WRITE_BATCH = 100
"""Messages written by one statement: each holds the event loop, which sends share, some 50 µs."""
MESSAGE_CREATED = "message_created"
LOWEST_ID = "00000000-0000-0000-0000-000000000000"
HIGHEST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Step(enum.Enum):
    """What one step did."""

    FOLLOWED = "events of the log were read"
    WALK_BEGAN = "the log does not tell everything; all messages will be looked at"
    WALKED = "some older messages were looked at"
    WALK_ENDED = "every message was looked at"
    NOTHING = "there is nothing to do"


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step did, and what is left."""

    step: Step
    added_count: int = 0
    behind_count: int = 0
    """Events of the log that are not in the index yet."""


async def step(worker: Database) -> Progress:
    """Bring the index a step forward: new events first, then older messages.

    A step that was interrupted did not happen; one that is done twice adds nothing.
    """
    async with worker.begin(is_flushed=False) as transaction:
        log = await sequencer.stand(transaction.raw)
        if not _has_work(await store.read(transaction), log):
            return Progress(Step.NOTHING)
        # Only now: a lock that is taken for nothing would still be a write.
        index = await store.read(transaction, lock=True)
        behind_count = log.last_gpos - index.gpos
        if index.log_epoch != log.log_epoch or index.gpos + 1 < log.first_gpos:
            await store.begin_walk(transaction, log.log_epoch, log.last_gpos, LOWEST_ID)
            return Progress(Step.WALK_BEGAN)
        events = await sequencer.read(transaction.raw, index.gpos + 1, count=MAX_BATCH)
        if events:
            added = await _follow(transaction, events)
            return Progress(Step.FOLLOWED, added, behind_count - len(events))
        if index.walk is None:
            return Progress(Step.NOTHING)
        return await _walk(transaction, index.walk)


async def forget_texts(transaction: Transaction, conversation_ids: Sequence[str]) -> int:
    """Take everything said in conversations out of the index; returns how many messages.

    Call it in the worker's transaction that overwrites the texts: until it commits nothing is
    added, and what is added afterwards is read from the overwritten rows, so nothing comes back.
    A repeat forgets nothing more.
    """
    await store.read(transaction, lock=True)
    count = 0
    while forgotten := await store.forget(transaction, conversation_ids, limit=MAX_BATCH):
        count += forgotten.message_count
        unused = [word for word, left in forgotten.words.items() if left == 0]
        await store.drop_words(transaction, {word: endings_of(word) for word in unused})
    return count


def _has_work(index: IndexStand, log: sequencer.LogStand) -> bool:
    return index.log_epoch != log.log_epoch or index.gpos < log.last_gpos or index.walk is not None


async def _follow(transaction: Transaction, events: Sequence[Event]) -> int:
    created = [
        (event.workspace_id, created_message_id(event.payload))
        for event in events
        if event.event == MESSAGE_CREATED
    ]
    await store.stand_in(transaction, {workspace_id for workspace_id, _ in created})
    added = await _add(transaction, created)
    await store.move(transaction, events[-1].gpos, events[-1].time)
    return added


async def _walk(transaction: Transaction, walk: Walk) -> Progress:
    workspace_id = WorkspaceId(walk.workspace_id)
    await transaction.enter(workspace_id)
    older = await store.messages_before(transaction, walk.message_id, limit=MAX_BATCH)
    if older:
        added = await _add(transaction, [(workspace_id, message_id) for message_id in older])
        await store.walk_on(transaction, Walk(walk.workspace_id, older[-1]))
        return Progress(Step.WALKED, added)
    following = await store.workspace_after(transaction, walk.workspace_id)
    if following is None:
        await store.walk_on(transaction, None)
        return Progress(Step.WALK_ENDED)
    await store.walk_on(transaction, Walk(following, HIGHEST_ID))
    return Progress(Step.WALKED)


async def _add(transaction: Transaction, named: Sequence[tuple[WorkspaceId, str]]) -> int:
    added = 0
    for start in range(0, len(named), WRITE_BATCH):
        found = await store.not_indexed(transaction, named[start : start + WRITE_BATCH])
        said = [(one, words) for one in found if (words := words_of(one[1].text))]
        if said:
            new_words = await store.add(transaction, said)
            endings = [
                (workspace_id, ending, word)
                for workspace_id, word in new_words
                for ending in endings_of(word)
            ]
            await store.add_endings(transaction, endings)
            added += len(said)
    return added
