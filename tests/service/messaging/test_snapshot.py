"""The present entities of messaging, for consumers that begin anew."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message as ProtoMessage

from inbox.messaging import v1
from services.messaging.events import PUBLISHES
from services.messaging.service.snapshot import Snapshot
from tests.service.messaging.desk import Desk, Reader


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_a_snapshot_holds_every_channel_and_every_thread_with_its_newest_message(
    desk: Desk, size: int
) -> None:
    conversations = [await desk.open_conversation() for _ in range(4)]
    for conversation_id in conversations[:2]:
        await desk.sends(conversation_id)
    await desk.hand_over(conversations[3], v1.CONVERSATION_MODE_AI)

    entities = await _read(desk, size)

    channels = [one.channel.id for one in entities if isinstance(one, v1.ChannelChanged)]
    assert len(channels) == len(set(channels)) == 4
    reader = Reader()
    for entity in entities[4:]:
        assert isinstance(entity, v1.MessageCreated)
        reader.apply(entity)
    assert set(reader.threads) == set(conversations)
    for conversation_id in conversations:
        fresh = await desk.maria.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))
        assert reader.threads[conversation_id] == fresh.thread
        history = await desk.history(conversation_id)
        said = [one for one in history if one.direction != v1.MESSAGE_DIRECTION_INTERNAL]
        assert reader.history(conversation_id) == said[-1:]


async def test_another_workspaces_entities_are_not_in_it(desk: Desk) -> None:
    assert await _read(desk, 100) == []


async def _read(desk: Desk, size: int) -> list[ProtoMessage]:
    after = ""
    read: list[ProtoMessage] = []
    while True:
        async with desk.means.worker.begin(desk.workspace_id) as transaction:
            page = await Snapshot().page(transaction, after, size)
        read += [
            PUBLISHES[entity.subject.split(".")[3]].FromString(entity.payload) for entity in page
        ]
        if len(page) < size:
            return read
        after = page[-1].cursor
