"""Dispatchers killed at random moments while a hostile platform misbehaves (T11, I9, I10, I11)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.messaging.model import dispatch as rules
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.dispatch import OpenAttempt, SendOutcome, Verdict
from suite.databases import DatabaseUrls
from suite.testing import fresh_database, test_servers
from tests.service.messaging.platform_desk import PlatformDesk, running_platform_desk

CUSTOMERS = 5
MESSAGES_OF_EACH = 4
KILLS = 16
OPEN = {DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN}
TROUBLE = (
    {"reset_after_accept": 1},
    {"reset_before_accept": 1},
    {"garbage_answer": 1},
    {"rate_limit": 1, "retry_after_seconds": 2},
    {"fail_next": 1, "fail_code": "content_rejected"},
    {"fail_late": 1},
    {"answer_late": 1, "answer_late_seconds": 0.6},
    {"duplicates": True, "shuffles": True},
    {"duplicates": False, "shuffles": False},
)


@pytest.fixture(scope="module")
def urls() -> Iterator[DatabaseUrls]:
    with test_servers() as servers, fresh_database(servers, "messaging") as urls:
        yield urls


@pytest.fixture
async def desk(urls: DatabaseUrls) -> AsyncIterator[PlatformDesk]:
    app, worker = Database(urls.app), Database(urls.worker)
    async with running_platform_desk(app, worker, WorkspaceId(new_id())) as running:
        yield running
    await app.close()
    await worker.close()


@pytest.mark.parametrize("is_idempotent", [False, True], ids=["without keys", "with keys"])
async def test_kills_and_trouble_lose_nothing_and_repeat_nothing(
    desk: PlatformDesk, is_idempotent: bool
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")

    sent = await storm(desk, random.Random(seed), is_idempotent=is_idempotent)

    for message_id in sent:
        message = await desk.message(message_id)
        assert message.delivery_status not in OPEN, seed
        assert desk.arrivals(message_id) <= 1, seed
        if message.failure is not None and not message.failure.may_have_arrived:
            reported = [m for m in desk.account.messages.values() if m.state == "failed"]
            assert desk.arrivals(message_id) <= len(reported), seed
    starts_are_in_order(desk, sent, seed)


async def test_repeating_what_is_in_doubt_would_be_noticed(
    desk: PlatformDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a rule that sends again after a reset, on a platform without keys."""
    honest = rules.after_outcome

    def blind(attempt: OpenAttempt, outcome: SendOutcome, **given: object) -> Verdict:
        return honest(attempt, outcome, **{**given, "is_idempotent": True})  # type: ignore[arg-type]

    monkeypatch.setattr(rules, "after_outcome", blind)
    desk.account.switches.change({"reset_after_accept": CUSTOMERS, "reports_by_itself": False})

    sent = await storm(desk, random.Random(7), is_idempotent=False, kills=0)

    assert any(desk.arrivals(message_id) > 1 for message_id in sent)


async def storm(
    desk: PlatformDesk, chance: random.Random, *, is_idempotent: bool, kills: int = KILLS
) -> list[str]:
    """Send, misbehave, kill and go on for five minutes of the owned clock."""
    desk.account.has_lookup = bool(chance.getrandbits(1))
    await desk.connect(is_idempotent=is_idempotent)
    customers = [f"customer-{number}" for number in range(CUSTOMERS)]
    for customer in customers:
        await desk.open(customer)
    sent = [
        await desk.send(f"{number}", customer)
        for number in range(MESSAGES_OF_EACH)
        for customer in customers
    ]
    for _ in range(kills):
        desk.account.switches.change(chance.choice(TROUBLE))
        await kill_while_working(desk, chance.uniform(0.0, 0.12))
        desk.clock.advance(timedelta(seconds=chance.choice((1, 3, 11))))
        await desk.process()
    await desk.pass_time(timedelta(minutes=5), step=timedelta(seconds=15))
    await desk.reports_come()
    return sent


async def kill_while_working(desk: PlatformDesk, seconds: float) -> None:
    """Two dispatchers work; after a moment both are gone, wherever they stood."""
    workers = [asyncio.ensure_future(desk.dispatch()) for _ in range(2)]
    await asyncio.sleep(seconds)
    for work in workers:
        work.cancel()
    for work in workers:
        with suppress(asyncio.CancelledError):
            await work


def starts_are_in_order(desk: PlatformDesk, sent: list[str], seed: int) -> None:
    """The first calls of one customer's messages started in the order they were sent."""
    first_calls: dict[str, list[int]] = {}
    for call in desk.account.calls:
        place = sent.index(call.callback_data.partition(".")[0])
        seen = first_calls.setdefault(call.customer_id, [])
        if place not in seen:
            seen.append(place)
    for places in first_calls.values():
        assert places == sorted(places), seed
