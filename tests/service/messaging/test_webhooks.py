"""Platforms' calls: believed only when signed, kept before they are answered (T14, T9)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId, new_id
from services.messaging.actions import channels as channel_actions
from services.messaging.actions.webhooks import MAX_BODY_BYTES, MAX_TRIES
from services.messaging.channels.port import InboundText
from services.messaging.model.channel import ChannelId, ChannelKind, SimulatorSettings
from services.messaging.model.connect import Credentials
from services.messaging.model.faults import (
    ChannelKindUnsupported,
    ChannelNotFound,
    WebhookSignatureInvalid,
    WebhookTooLarge,
)
from services.messaging.store import webhooks as store
from suite.simulator.webhooks import sign
from tests.service.messaging.platform_calls import a_call, ingest
from tests.service.messaging.platform_desk import (
    SECRET,
    TOKEN,
    PlatformDesk,
)

OTHER_SECRET = "secret-of-another-channel"


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    return platform_desk


async def kept(desk: PlatformDesk) -> int:
    rows = await desk.rows(
        "SELECT count(*) FROM webhook_inbox WHERE channel_id = $1", desk.channel.id
    )
    count: int = rows[0][0]
    return count


async def test_a_signed_call_is_kept_and_then_processed(desk: PlatformDesk) -> None:
    assert not await ingest(desk, a_call("hola", "is anybody there?"))
    assert await kept(desk) == 1
    assert await desk.texts() == []

    await desk.process()

    assert await desk.texts() == ["hola", "is anybody there?"]


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "md5=" + "0" * 32,
        sign(OTHER_SECRET, a_call("forged")),
        "sha256=é",
    ],
    # Not the signature itself: it differs from one test process to the next.
    ids=["none", "empty", "zeros", "other algorithm", "other secret", "not a number"],
)
async def test_a_forged_call_is_refused_and_leaves_nothing(
    desk: PlatformDesk, signature: str
) -> None:
    with pytest.raises(WebhookSignatureInvalid):
        await ingest(desk, a_call("forged"), signature=signature)

    assert await kept(desk) == 0


async def test_one_changed_byte_breaks_the_signature(desk: PlatformDesk) -> None:
    body = a_call("send 10 euros")
    signature = sign(SECRET, body)

    with pytest.raises(WebhookSignatureInvalid):
        await ingest(desk, body.replace(b"10", b"90"), signature=signature)


async def test_another_channels_secret_opens_nothing(desk: PlatformDesk) -> None:
    first = desk.channel
    other = await channel_actions.create_channel(
        desk.channels,
        desk.owner,
        request_id=new_id(),
        kind=ChannelKind.SIMULATOR,
        display_name="Another",
        settings=SimulatorSettings("http://127.0.0.1:9", "another"),
        credentials=Credentials(TOKEN, OTHER_SECRET),
    )

    with pytest.raises(WebhookSignatureInvalid):
        await ingest(desk, a_call("x"), secret=OTHER_SECRET, channel_id=first.id)
    with pytest.raises(WebhookSignatureInvalid):
        await ingest(desk, a_call("x"), secret=SECRET, channel_id=other.id)

    assert not await ingest(desk, a_call("x"), secret=OTHER_SECRET, channel_id=other.id)


async def test_a_channel_without_a_secret_takes_no_calls(desk: PlatformDesk) -> None:
    bare = await channel_actions.create_channel(
        desk.channels,
        desk.owner,
        request_id=new_id(),
        kind=ChannelKind.SIMULATOR,
        display_name="Bare",
        settings=SimulatorSettings("http://127.0.0.1:9", "bare"),
        credentials=Credentials(TOKEN),
    )

    with pytest.raises(WebhookSignatureInvalid):
        await ingest(desk, a_call("x"), secret="", channel_id=bare.id)


async def test_both_secrets_are_good_while_one_is_being_changed(desk: PlatformDesk) -> None:
    await channel_actions.update_channel(
        desk.channels,
        desk.owner,
        channel_id=desk.channel.id,
        display_name="",
        settings=None,
        credentials=Credentials(TOKEN, "the-new-secret", SECRET),
        expected_version=0,
    )

    assert not await ingest(desk, a_call("by the old one"), secret=SECRET)
    assert not await ingest(desk, a_call("by the new one"), secret="the-new-secret")
    with pytest.raises(WebhookSignatureInvalid):
        await ingest(desk, a_call("by none"), secret=OTHER_SECRET)


async def test_a_replayed_call_has_no_effect(desk: PlatformDesk) -> None:
    body = a_call("once")
    await ingest(desk, body)
    await desk.process()

    assert await ingest(desk, body)
    await desk.process()

    assert await kept(desk) == 1
    assert await desk.texts() == ["once"]


async def test_a_message_that_comes_again_in_another_call_is_stored_once(
    desk: PlatformDesk,
) -> None:
    first = json.loads(a_call("once"))
    again = json.loads(json.dumps(first))
    again["events"][0]["id"] = "another event, same message"
    for call in (first, again, {**first, "retry": 1}):
        await ingest(desk, json.dumps(call).encode())
        await desk.process()

    assert await desk.texts() == ["once"]


async def test_a_megabyte_is_taken_and_one_byte_more_is_not(desk: PlatformDesk) -> None:
    body = a_call("hola", padding="")
    body = body.replace(
        b'"padding": ""', b'"padding": "%s"' % (b"x" * (MAX_BODY_BYTES - len(body)))
    )
    assert len(body) == MAX_BODY_BYTES
    await ingest(desk, body)

    with pytest.raises(WebhookTooLarge):
        await ingest(desk, body + b" ")

    assert await kept(desk) == 1


async def test_a_call_for_nobody_is_not_found(desk: PlatformDesk) -> None:
    with pytest.raises(ChannelNotFound):
        await ingest(desk, a_call("x"), channel_id=new_id())
    with pytest.raises(ChannelNotFound):
        await ingest(desk, a_call("x"), kind=ChannelKind.WHATSAPP)
    with pytest.raises(ChannelKindUnsupported):
        await ingest(desk, a_call("x"), method="GET")


async def test_a_secret_that_cannot_be_read_is_our_fault_not_the_platforms(
    desk: PlatformDesk,
) -> None:
    await desk.lose_master_key()

    with pytest.raises(TemporarilyUnavailable):
        await ingest(desk, a_call("x"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"events": 7}',
        b'{"events": {}}',
        b"[" * 100_000,
        b'{"events": [null, 7, "x", [], {}, {"type": "message"}, {"type": "status"}]}',
        b'{"events": [{"type": "message", "id": 1, "from": 2, "text": 3, "message_id": 4}]}',
        b'{"events": [{"type": "status", "id": "e", "message_id": "m", "status": "exploded"}]}',
        b'{"events": [{"type": "poll", "id": "e", "from": {"id": "ana"}}]}',
    ],
)
async def test_what_nobody_understands_is_kept_and_in_nobodys_way(
    desk: PlatformDesk, body: bytes
) -> None:
    await ingest(desk, body)
    await ingest(desk, a_call("hola"))

    await desk.process()

    assert await kept(desk) == 2
    assert await desk.texts() == ["hola"]


async def test_one_bad_item_does_not_spoil_its_neighbours(desk: PlatformDesk) -> None:
    call = json.loads(a_call("one", "two", "three"))
    call["events"][1]["text"] = None

    await ingest(desk, json.dumps(call).encode())
    await desk.process()

    assert await desk.texts() == ["one", "three"]
    states = await desk.rows("SELECT state FROM webhook_items ORDER BY id")
    assert [row[0] for row in states][-3:] == ["done", "kept", "done"]


async def test_strange_characters_are_kept_as_far_as_possible(desk: PlatformDesk) -> None:
    await ingest(desk, a_call("a\x00b", "\ud800 half a pair", "👩‍👩‍👧 שלום"))
    await desk.process()

    assert await desk.texts() == ["a\ufffdb", "\ufffd half a pair", "👩‍👩‍👧 שלום"]


async def test_a_poison_item_is_put_aside_while_others_go_on(desk: PlatformDesk) -> None:
    accept = desk.intake.accept_inbound
    tries = 0

    async def choke(
        workspace_id: WorkspaceId,
        channel_id: ChannelId,
        channel_kind: ChannelKind,
        message: InboundText,
    ) -> None:
        nonlocal tries
        if message.text == "poison":
            tries += 1
            raise RuntimeError("cannot swallow this")
        await accept(workspace_id, channel_id, channel_kind, message)

    desk.intake = replace(desk.intake, accept_inbound=choke)
    await ingest(desk, a_call("poison", "after it"))
    await ingest(desk, a_call("hola", customer="ben"))
    await desk.process()
    assert await desk.texts("ben") == ["hola"]
    assert await desk.texts() == []

    await desk.pass_time(timedelta(minutes=4))

    assert tries == MAX_TRIES
    assert await desk.texts() == ["after it"]
    (dead,) = await desk.rows("SELECT last_error FROM webhook_items WHERE state = 'dead'")
    assert dead[0].startswith("RuntimeError test_webhooks.py:")


async def test_a_fault_in_reading_keeps_the_call_and_reads_it_later(
    desk: PlatformDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = desk.adapters.of(ChannelKind.SIMULATOR)
    honest = type(adapter).read

    def broken(*_: object) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(type(adapter), "read", broken)
    await ingest(desk, a_call("hola"))
    await desk.process()
    assert await desk.texts() == []
    monkeypatch.setattr(type(adapter), "read", honest)

    await desk.pass_time(timedelta(seconds=5))

    assert await desk.texts() == ["hola"]


async def test_messages_of_one_customer_keep_their_order_with_many_workers(
    desk: PlatformDesk,
) -> None:
    customers = ["ana", "ben", "eva"]
    for number in range(12):
        for customer in customers:
            await ingest(desk, a_call(f"{number}", customer=customer))

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(desk.process())

    for customer in customers:
        assert await desk.texts(customer) == [f"{number}" for number in range(12)]


async def test_old_calls_are_dropped_and_dead_ones_stay(desk: PlatformDesk) -> None:
    await ingest(desk, a_call("hola"))
    await desk.process()
    await desk.rows(
        "UPDATE webhook_items SET receive_time = $1 RETURNING 1",
        desk.clock.now() - timedelta(days=9),
    )
    await desk.rows(
        "UPDATE webhook_inbox SET receive_time = $1 RETURNING 1",
        desk.clock.now() - timedelta(days=9),
    )

    async with desk.worker.begin() as transaction:
        await store.drop_old(transaction, now=desk.clock.now())

    assert await kept(desk) == 0
    assert await desk.texts() == ["hola"]
