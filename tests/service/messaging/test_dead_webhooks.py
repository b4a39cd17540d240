"""A poison webhook is put aside, seen, and processed once when its cause was mended (T9)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from chassis.auth import Role
from chassis.ids import WorkspaceId, new_id
from inbox.messaging import v1
from services.messaging.actions import dead_webhooks as actions
from services.messaging.actions.webhooks import MAX_TRIES
from services.messaging.channels.port import InboundText
from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.service.channels import MAX_RAW_PAGE, ChannelMeans, ChannelService
from services.messaging.store import webhooks as store
from services.messaging.webhooks import WebhookWorker
from tests.service.messaging.platform_calls import a_call, ingest
from tests.service.messaging.platform_desk import PlatformDesk, no_wake
from tests.service.messaging.refusals import refused
from tests.serving import Serving, serving

POISON = "poison"
LONG_ENOUGH = timedelta(minutes=4)
"""For eight tries with growing pauses."""


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    return platform_desk


@pytest.fixture
async def server(desk: PlatformDesk) -> AsyncIterator[Serving]:
    means = ChannelMeans(desk.channels, desk.intake, no_wake)
    adding = v1.add_ChannelServiceServicer_to_server
    async with serving((adding, ChannelService(means))) as server:
        yield server


@dataclass(frozen=True)
class Owner:
    """The owner of a workspace, at the service."""

    stub: v1.ChannelServiceStub

    async def dead(self, **fields: Any) -> list[v1.DeadWebhook]:
        page = await self.stub.ListDeadWebhooks(v1.ListDeadWebhooksRequest(**fields))
        return list(page.dead_webhooks)

    async def redrive(self, *, request_id: str = "", **fields: Any) -> int:
        request = v1.RedriveWebhooksRequest(request_id=request_id or new_id(), **fields)
        response = await self.stub.RedriveWebhooks(request)
        return response.redriven_count


@pytest.fixture
def owner(server: Serving, workspace_id: WorkspaceId) -> Owner:
    return Owner(v1.ChannelServiceStub(server.channel(Role.OWNER, workspace_id)))


@pytest.fixture
def stranger(server: Serving) -> Owner:
    return Owner(v1.ChannelServiceStub(server.channel(Role.OWNER, WorkspaceId(new_id()))))


@contextmanager
def choking(desk: PlatformDesk) -> Iterator[None]:
    """For the block, no message with the word POISON can be stored; leaving it is the mend."""
    sound = desk.intake

    async def choke(
        workspace_id: WorkspaceId,
        channel_id: ChannelId,
        channel_kind: ChannelKind,
        message: InboundText,
    ) -> None:
        if POISON in message.text:
            raise RuntimeError(f"cannot swallow {message.text}")
        await sound.accept_inbound(workspace_id, channel_id, channel_kind, message)

    desk.intake = replace(sound, accept_inbound=choke)
    try:
        yield
    finally:
        desk.intake = sound


@contextmanager
def unreadable(desk: PlatformDesk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For the block, no call with the word POISON can be split into items."""
    adapter = type(desk.adapters.of(ChannelKind.SIMULATOR))
    sound = adapter.read

    def broken(self: Any, body: bytes) -> Any:
        if POISON.encode() in body:
            raise KeyError("a fault of ours")
        return sound(self, body)

    with monkeypatch.context() as patched:
        patched.setattr(adapter, "read", broken)
        yield


async def test_a_poison_item_becomes_one_dead_webhook_and_delays_nobody_else(
    desk: PlatformDesk, owner: Owner
) -> None:
    with choking(desk):
        await ingest(desk, a_call(POISON, "after it"))
        await ingest(desk, a_call("hola", customer="ben"))
        await desk.process()
        assert await desk.texts("ben") == ["hola"], "at once"
        assert await desk.texts("ana") == [], "one's own later messages wait: the order is kept"
        assert await owner.dead() == [], "not before it was tried often enough"

        await desk.pass_time(LONG_ENOUGH)

    assert await desk.texts("ana") == ["after it"]
    (dead,) = await owner.dead()
    assert (dead.part, dead.channel_id) == (v1.WEBHOOK_PART_ITEM, desk.channel.id)
    assert dead.attempt_count == MAX_TRIES
    assert dead.last_error.startswith("RuntimeError test_dead_webhooks.py:")


async def test_a_poison_call_becomes_one_dead_webhook_and_delays_nobody_else(
    desk: PlatformDesk, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unreadable(desk, monkeypatch):
        await ingest(desk, a_call(POISON))
        await ingest(desk, a_call("hola", customer="ben"))
        await desk.process()
        assert await desk.texts("ben") == ["hola"], "at once"

        await desk.pass_time(LONG_ENOUGH)
        (dead,) = await owner.dead()
        assert (dead.part, dead.attempt_count) == (v1.WEBHOOK_PART_CALL, MAX_TRIES)
        assert dead.last_error.startswith("KeyError test_dead_webhooks.py:")
        await desk.pass_time(timedelta(days=1), step=timedelta(hours=6))
        assert (await owner.dead())[0].attempt_count == MAX_TRIES, "nobody tries it by himself"

    assert await owner.redrive() == 1
    await desk.process()
    assert await desk.texts() == [POISON]
    assert await owner.dead() == []


async def test_what_is_redriven_after_a_mend_is_processed_once(
    desk: PlatformDesk, owner: Owner
) -> None:
    with choking(desk):
        await ingest(desk, a_call(f"{POISON} 1", f"{POISON} 2"))
        await desk.pass_time(LONG_ENOUGH * 2)
    assert len(await owner.dead()) == 2

    assert await owner.redrive() == 2
    assert await owner.redrive() == 0
    await desk.process()
    assert await owner.redrive() == 0
    await desk.process()

    assert await desk.texts() == [f"{POISON} 1", f"{POISON} 2"], "in their order"
    assert await owner.dead() == []


async def test_without_a_mend_it_is_dead_again(desk: PlatformDesk, owner: Owner) -> None:
    """The negative control: it is the mend that helps, not the redrive."""
    with choking(desk):
        await ingest(desk, a_call(POISON))
        await desk.pass_time(LONG_ENOUGH)
        assert await owner.redrive() == 1
        assert await owner.dead() == []

        await desk.pass_time(LONG_ENOUGH)

        assert [one.attempt_count for one in await owner.dead()] == [MAX_TRIES]
        assert await desk.texts() == []


async def test_a_repeated_redrive_sets_nothing_in_motion(desk: PlatformDesk, owner: Owner) -> None:
    request_id = new_id()
    with choking(desk):
        await ingest(desk, a_call(POISON))
        await desk.pass_time(LONG_ENOUGH)
        assert await owner.redrive(request_id=request_id) == 1
        await desk.pass_time(LONG_ENOUGH)

    assert await owner.redrive(request_id=request_id) == 1

    assert len(await owner.dead()) == 1, "it died again and was left alone"
    async with refused("IDEMPOTENCY_KEY_REUSED"):
        await owner.redrive(request_id=request_id, channel_id=desk.channel.id)


async def test_one_alone_may_be_tried_first(desk: PlatformDesk, owner: Owner) -> None:
    with choking(desk):
        await ingest(desk, a_call(f"{POISON} 1"))
        await ingest(desk, a_call(f"{POISON} 2", customer="ben"))
        await desk.pass_time(LONG_ENOUGH)
    first, second = await owner.dead()

    assert await owner.redrive(dead_webhook_id=first.id, channel_id=desk.channel.id) == 1
    await desk.process()

    assert await owner.dead() == [second]
    async with refused("DEAD_WEBHOOK_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await owner.redrive(dead_webhook_id=first.id)
    async with refused("INVALID_ARGUMENT"):
        await owner.redrive(dead_webhook_id="item-1x")


async def test_a_redrive_is_bounded_and_says_how_far_it_went(
    desk: PlatformDesk, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MAX_REDRIVEN", 2)
    with choking(desk):
        for customer in ("ana", "ben", "eva"):
            await ingest(desk, a_call(POISON, customer=customer))
        await desk.pass_time(LONG_ENOUGH)

    assert [await owner.redrive() for _ in range(3)] == [2, 1, 0]


async def test_what_the_customer_wrote_is_shown_only_when_asked_for(
    desk: PlatformDesk, owner: Owner
) -> None:
    with choking(desk):
        await ingest(desk, a_call(POISON))
        await desk.pass_time(LONG_ENOUGH)

    (blank,) = await owner.dead()
    (full,) = await owner.dead(include_raw=True)

    assert POISON.encode() not in blank.SerializeToString()
    assert b"ana" not in blank.SerializeToString()
    assert POISON.encode() in full.raw
    assert blank.size_bytes == full.size_bytes == len(full.raw)


async def test_the_list_is_paged_oldest_first(
    desk: PlatformDesk, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with choking(desk):
        await ingest(desk, a_call(*(POISON for _ in range(2))))
        desk.clock.advance(timedelta(seconds=1))
        with unreadable(desk, monkeypatch):
            await ingest(desk, a_call(f"{POISON} call"))
            desk.clock.advance(timedelta(seconds=1))
            await ingest(desk, a_call("fine", customer="ben"))
            await desk.pass_time(LONG_ENOUGH * 2)
        await ingest(desk, a_call(POISON, customer="eva"))
        await desk.pass_time(LONG_ENOUGH)
    everything = await owner.dead()
    item, call = v1.WEBHOOK_PART_ITEM, v1.WEBHOOK_PART_CALL
    assert [one.part for one in everything] == [item, item, call, item]

    for size, include_raw in ((1, False), (2, False), (200, True)):
        seen: list[str] = []
        token = ""
        while True:
            page = await owner.stub.ListDeadWebhooks(
                v1.ListDeadWebhooksRequest(
                    page_size=size, page_token=token, include_raw=include_raw
                )
            )
            assert len(page.dead_webhooks) <= (MAX_RAW_PAGE if include_raw else size)
            seen += [one.id for one in page.dead_webhooks]
            token = page.next_page_token
            if not token:
                break
        assert seen == [one.id for one in everything]


async def test_dead_webhooks_are_those_of_the_workspace_and_of_the_channel(
    desk: PlatformDesk, owner: Owner, stranger: Owner
) -> None:
    with choking(desk):
        await ingest(desk, a_call(POISON))
        await desk.pass_time(LONG_ENOUGH)
    first = desk.channel
    second = await desk.connect()
    (dead,) = await owner.dead(channel_id=first.id)

    assert await owner.dead(channel_id=second.id) == []
    assert await owner.redrive(channel_id=second.id) == 0
    assert await stranger.dead() == []
    assert await stranger.redrive() == 0
    for fields in ({"channel_id": first.id}, {"dead_webhook_id": dead.id}):
        async with refused(
            "CHANNEL_NOT_FOUND" if "channel_id" in fields else "DEAD_WEBHOOK_NOT_FOUND"
        ):
            await stranger.redrive(**fields)
    assert await owner.dead() == [dead]


async def test_the_dead_are_counted_and_kept_however_old(
    desk: PlatformDesk, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = WebhookWorker(desk.intake, desk.clock)
    await worker.count_dead()
    before = {part: counted(part) for part in ("call", "item")}
    with choking(desk):
        await ingest(desk, a_call(POISON))
        with unreadable(desk, monkeypatch):
            await ingest(desk, a_call(POISON, customer="ben"))
            await desk.pass_time(LONG_ENOUGH)
    desk.clock.advance(timedelta(days=30))

    async with desk.worker.begin() as transaction:
        await store.drop_old(transaction, now=desk.clock.now())
    await worker.count_dead()

    assert len(await owner.dead()) == 2
    assert {part: counted(part) - before[part] for part in before} == {"call": 1, "item": 1}


def counted(part: str) -> float:
    return REGISTRY.get_sample_value("inbox_webhook_dead_parts", {"part": part}) or 0.0
