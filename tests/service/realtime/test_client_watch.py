"""The client's watch at two real replicas: whichever answers, it goes on where it stood."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from chassis.auth import Role
from chassis.ids import WorkspaceId
from inbox.assistant import v1 as assistant_v1
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox_client import AsyncInbox, AsyncWatch, Frame, Resync, Retries
from services.realtime.service import RealtimeService, add_to_server
from tests.cuttable_line import Line, a_line
from tests.service.chassis.eventing import a_workspace
from tests.service.realtime.stage import DOMAINS, Replica, Stage
from tests.serving import Serving, Tokens, serving

COUNT = 120
QUICK = Retries(first_pause=timedelta(milliseconds=10), longest_pause=timedelta(milliseconds=100))


@asynccontextmanager
async def served(replica: Replica, tokens: Tokens) -> AsyncIterator[Serving]:
    servicer = RealtimeService(replica.live, replica.replay, replica.presence)
    async with serving((add_to_server, servicer), tokens=tokens) as server:
        yield server


async def write(
    stage: Stage, workspace: WorkspaceId, line: Line, addresses: list[str]
) -> dict[str, list[str]]:
    """Events of every domain, while the line is cut and leads elsewhere."""
    dice = random.Random(4)
    expected: dict[str, list[str]] = {domain: [] for domain in DOMAINS}
    for number in range(COUNT):
        domain = dice.choice(DOMAINS)
        expected[domain].append(str(number))
        await stage.emit(workspace, domain, str(number))
        if dice.random() < 0.15:
            line.target = dice.choice(addresses)
            line.cut()
        await asyncio.sleep(dice.random() * 0.01)
    return expected


async def read(watch: AsyncWatch, begun: asyncio.Event) -> dict[str, list[str]]:
    """What the watch tells, until it told as much as happened."""
    seen: dict[str, list[str]] = {domain: [] for domain in DOMAINS}
    async with asyncio.timeout(60):
        async for event in watch:
            if isinstance(event, Resync):
                assert not begun.is_set(), "only a watch from nowhere loads a snapshot"
                event.done()
                begun.set()
            else:
                keep(event, seen)
            if sum(map(len, seen.values())) == COUNT:
                break
    return seen


def keep(event: Frame, seen: dict[str, list[str]]) -> None:
    match event.body:
        case conversation_v1.ConversationRead(conversation=conversation):
            seen["conversation"].append(conversation.id)
        case identity_v1.WorkspaceChanged(workspace=workspace):
            seen["identity"].append(workspace.id)
        case assistant_v1.ArticleChanged(article=article):
            seen["assistant"].append(article.id)
        case messaging_v1.DeliveryStatusChanged(message=message):
            seen["messaging"].append(message.id)


async def test_the_clients_watch_loses_nothing_over_two_replicas_and_many_cuts(
    stage: Stage, nats_url: str
) -> None:
    workspace, tokens, begun = a_workspace(), Tokens(), asyncio.Event()
    async with (
        stage.replica(nats_url) as one,
        stage.replica(nats_url) as other,
        served(one, tokens) as first,
        served(other, tokens) as second,
        a_line(first.address) as line,
        AsyncInbox(line.address, tokens.token(Role.BOT, workspace), retries=QUICK) as inbox,
        inbox.watch() as watch,
        asyncio.TaskGroup() as group,
    ):
        reading = group.create_task(read(watch, begun))
        await begun.wait()
        expected = await write(stage, workspace, line, [first.address, second.address])
        seen = await reading

    assert seen == expected
    assert line.connections > 5
