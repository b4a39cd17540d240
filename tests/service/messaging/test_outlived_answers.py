"""An answer of the AI that people took over from is never sent, whoever has it afterwards (I15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.messaging.model.delivery import DeliveryStatus, FailureReason
from services.messaging.model.thread import ConversationMode
from tests.service.messaging.platform_desk import PlatformDesk, running_platform_desk

AI, MANUAL = ConversationMode.AI, ConversationMode.MANUAL


@pytest.fixture
async def desk(app: Database, worker: Database) -> AsyncIterator[PlatformDesk]:
    async with running_platform_desk(app, worker, WorkspaceId(new_id())) as desk:
        await desk.connect()
        await desk.open()
        yield desk


async def people_had_it_meanwhile(desk: PlatformDesk) -> str:
    """They took over, answered, and gave it back; the id of their answer."""
    await desk.switch_mode(MANUAL)
    answer = await desk.send("from a person")
    await desk.switch_mode(AI)
    return answer


async def test_one_between_two_tries_is_withdrawn_by_the_takeover_itself(
    desk: PlatformDesk,
) -> None:
    epoch = await desk.switch_mode(AI)
    await desk.move_channel("http://127.0.0.1:9")
    message_id = await desk.send("from the AI", mode_epoch=epoch)
    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.SENDING

    answer = await people_had_it_meanwhile(desk)
    await desk.move_channel(desk.simulator.url)
    await desk.pass_time(timedelta(minutes=1))

    assert desk.arrivals(message_id) == 0
    failure = (await desk.message(message_id)).failure
    assert failure is not None
    assert failure.reason is FailureReason.TAKEN_OVER
    assert desk.arrivals(answer) == 1


async def test_one_that_failed_for_the_channel_is_not_revived_after_people_had_it(
    desk: PlatformDesk,
) -> None:
    epoch = await desk.switch_mode(AI)
    desk.account.switches.change({"is_token_expired": True})
    message_id = await desk.send("from the AI", mode_epoch=epoch)
    await desk.pass_time(timedelta(minutes=5))
    assert await desk.status(message_id) is DeliveryStatus.REPORTED_FAILED

    answer = await people_had_it_meanwhile(desk)
    late = await desk.send("from the AI again", mode_epoch=epoch + 2)
    desk.account.switches.change({"is_token_expired": False})
    await desk.reconnect()
    await desk.dispatch()

    assert desk.arrivals(message_id) == 0
    assert [desk.arrivals(sent) for sent in (answer, late)] == [1, 1]
