"""Channels: created once, changed, tested, stopped; their secrets never readable in the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import FieldInvalid, IdempotencyKeyReused, VersionConflict
from chassis.ids import WorkspaceId, new_id
from inbox.messaging import v1 as messaging_v1
from services.messaging.actions import channels as actions
from services.messaging.model.channel import (
    Channel,
    ChannelKind,
    ChannelSettings,
    ChannelState,
    SimulatorSettings,
    WebChatSettings,
)
from services.messaging.model.connect import Credentials
from services.messaging.model.delivery import DeliveryStatus, FailureReason
from services.messaging.model.faults import ChannelKindUnsupported, ChannelNotFound
from tests.service.messaging.platform_desk import (
    SECRET,
    TOKEN,
    PlatformDesk,
)


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    return platform_desk


async def create(
    desk: PlatformDesk,
    *,
    request_id: str = "",
    kind: ChannelKind = ChannelKind.WEB_CHAT,
    name: str = "Shop",
    settings: ChannelSettings | None = None,
    credentials: Credentials | None = None,
) -> Channel:
    return await actions.create_channel(
        desk.channels,
        desk.owner,
        request_id=request_id or new_id(),
        kind=kind,
        display_name=name,
        settings=settings,
        credentials=credentials or Credentials(),
    )


async def changes(desk: PlatformDesk, channel_id: str) -> list[messaging_v1.Channel]:
    async with desk.worker.begin() as transaction:
        rows = await transaction.raw.fetch(
            "SELECT payload FROM outbox WHERE subject LIKE 'inbox.messaging.v1.channel_changed.%' "
            "ORDER BY id"
        )
    told = [messaging_v1.ChannelChanged.FromString(row[0]).channel for row in rows]
    return [channel for channel in told if channel.id == channel_id]


async def test_a_repeat_creates_nothing_and_returns_the_channel(desk: PlatformDesk) -> None:
    request_id = new_id()
    first = await create(desk, request_id=request_id)

    again = await create(
        desk, request_id=request_id, settings=WebChatSettings(greeting="changed since")
    )

    assert again == first
    assert len(await changes(desk, first.id)) == 1
    with pytest.raises(IdempotencyKeyReused):
        await create(desk, request_id=request_id, name="Another")


async def test_the_same_request_id_in_two_workspaces_is_two_channels(desk: PlatformDesk) -> None:
    request_id = new_id()
    ours = await create(desk, request_id=request_id)
    theirs = await actions.create_channel(
        desk.channels,
        replace(desk.owner, workspace_id=WorkspaceId(new_id())),
        request_id=request_id,
        kind=ChannelKind.WEB_CHAT,
        display_name="Shop",
        settings=None,
        credentials=Credentials(),
    )

    assert ours.id != theirs.id
    with pytest.raises(ChannelNotFound):
        await actions.get_channel(desk.channels, desk.owner, theirs.id)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (ChannelKind.SIMULATOR, None),
        (ChannelKind.SIMULATOR, WebChatSettings()),
        (ChannelKind.WEB_CHAT, SimulatorSettings("http://127.0.0.1:9", "shop")),
        (ChannelKind.SIMULATOR, SimulatorSettings("ftp://127.0.0.1", "shop")),
        (ChannelKind.SIMULATOR, SimulatorSettings("http://me:secret@host", "shop")),
        (ChannelKind.SIMULATOR, SimulatorSettings("http://host:notaport", "shop")),
        (ChannelKind.SIMULATOR, SimulatorSettings("http://host", "../etc")),
        (ChannelKind.WEB_CHAT, WebChatSettings(("https://shop.example/path",))),
        (ChannelKind.WEB_CHAT, WebChatSettings(("javascript:alert(1)",))),
        (ChannelKind.WEB_CHAT, WebChatSettings(("*",))),
        (ChannelKind.WEB_CHAT, WebChatSettings(greeting="x" * 281)),
        (ChannelKind.WEB_CHAT, WebChatSettings(accent_color="red; background: url(x)")),
    ],
)
async def test_settings_that_make_no_sense_are_refused(
    desk: PlatformDesk, kind: ChannelKind, settings: ChannelSettings | None
) -> None:
    with pytest.raises(FieldInvalid):
        await create(desk, kind=kind, settings=settings)


async def test_a_kind_without_an_adapter_cannot_be_connected(desk: PlatformDesk) -> None:
    with pytest.raises(ChannelKindUnsupported):
        await create(desk, kind=ChannelKind.WHATSAPP)


async def test_secrets_are_sealed_and_bound_to_their_channel(desk: PlatformDesk) -> None:
    (row,) = await desk.rows(
        "SELECT ciphertext FROM channel_credentials WHERE channel_id = $1", desk.channel.id
    )
    sealed = bytes(row[0])
    assert TOKEN.encode() not in sealed
    assert SECRET.encode() not in sealed
    other = await create(
        desk,
        kind=ChannelKind.SIMULATOR,
        settings=SimulatorSettings("http://127.0.0.1:9", "other"),
        credentials=Credentials("t", "s"),
    )
    await desk.rows(
        "UPDATE channel_credentials SET ciphertext = $1 WHERE channel_id = $2 RETURNING 1",
        sealed,
        other.id,
    )

    async with desk.worker.begin(desk.workspace_id) as transaction:
        mine = await desk.vault.open(transaction, desk.workspace_id, desk.channel.id)
        moved = await desk.vault.open(transaction, desk.workspace_id, other.id)

    assert mine.credentials == Credentials(TOKEN, SECRET)
    assert not moved.is_readable
    assert TOKEN not in repr(mine)


async def test_a_secret_that_could_split_a_header_is_refused_unshown(desk: PlatformDesk) -> None:
    with pytest.raises(FieldInvalid) as refused:
        await create(desk, credentials=Credentials("token\r\nX-Evil: 1"))

    assert "token\r" not in str(refused.value)


async def test_a_change_is_told_once_and_guarded_by_its_version(desk: PlatformDesk) -> None:
    async def rename(name: str, version: int) -> Channel:
        return await actions.update_channel(
            desk.channels,
            desk.owner,
            channel_id=desk.channel.id,
            display_name=name,
            settings=None,
            credentials=None,
            expected_version=version,
        )

    renamed = await rename("Front desk", desk.channel.version)
    same = await rename("Front desk", 0)
    with pytest.raises(VersionConflict):
        await rename("Back desk", desk.channel.version)

    assert same == renamed
    assert [channel.version for channel in await changes(desk, desk.channel.id)] == [1, 2]


async def test_channels_are_listed_in_pages_oldest_first(desk: PlatformDesk) -> None:
    for number in range(4):
        desk.clock.advance(timedelta(seconds=1))
        await create(desk, name=f"Shop {number}")

    first = await actions.list_channels(desk.channels, desk.owner, after=None, limit=3)
    rest = await actions.list_channels(
        desk.channels, desk.owner, after=(first[-1].create_time, first[-1].id), limit=3
    )

    names = [channel.display_name for channel in first + rest]
    assert names == ["Simulator", "Shop 0", "Shop 1", "Shop 2", "Shop 3"]


async def test_a_test_sets_the_state_by_the_platforms_answer(desk: PlatformDesk) -> None:
    check, channel = await actions.test_channel(desk.channels, desk.owner, desk.channel.id)
    assert (check.is_working, channel.state) == (True, ChannelState.CONNECTED)

    desk.account.switches.change({"is_token_expired": True})
    check, channel = await actions.test_channel(desk.channels, desk.owner, desk.channel.id)
    assert (check.is_working, check.detail) == (False, "token_expired")
    assert channel.state is ChannelState.RECONNECTION_NEEDED

    desk.account.switches.change({"is_token_expired": False})
    check, channel = await actions.test_channel(desk.channels, desk.owner, desk.channel.id)
    assert (check.is_working, channel.state) == (True, ChannelState.CONNECTED)


async def test_a_platform_that_does_not_answer_a_test_changes_no_state(desk: PlatformDesk) -> None:
    await desk.move_channel("http://127.0.0.1:9")

    check, channel = await actions.test_channel(desk.channels, desk.owner, desk.channel.id)

    assert (check.is_working, check.is_refused) == (False, False)
    assert channel.state is ChannelState.CONNECTED


async def test_a_refusal_of_old_credentials_does_not_break_the_new_ones(desk: PlatformDesk) -> None:
    await desk.open()
    desk.account.token = "a-new-token"
    message_id = await desk.send()

    async def reconnect_meanwhile(reached: str) -> None:
        if reached == "called":
            await desk.reconnect("a-new-token")

    await desk.dispatcher(hook=reconnect_meanwhile).run_once()
    assert (await desk.read_channel()).state is ChannelState.CONNECTED
    await desk.dispatch()

    assert await desk.status(message_id) is DeliveryStatus.SENT


async def test_a_new_token_keeps_the_webhook_secret(desk: PlatformDesk) -> None:
    await actions.update_channel(
        desk.channels,
        desk.owner,
        channel_id=desk.channel.id,
        display_name="",
        settings=None,
        credentials=Credentials("a-new-token"),
        expected_version=0,
    )

    async with desk.worker.begin(desk.workspace_id) as transaction:
        opened = await desk.vault.open(transaction, desk.workspace_id, desk.channel.id)

    assert opened.credentials == Credentials("a-new-token", SECRET)


async def test_disconnecting_fails_what_waits_and_says_why(desk: PlatformDesk) -> None:
    await desk.open()
    message_id = await desk.send()

    await actions.disconnect_channel(desk.channels, desk.owner, desk.channel.id)
    await actions.disconnect_channel(desk.channels, desk.owner, desk.channel.id)
    await desk.dispatch()

    message = await desk.message(message_id)
    assert message.failure is not None
    assert message.failure.reason is FailureReason.CHANNEL_NOT_CONNECTED
    assert desk.calls(message_id) == []
    assert [c.state for c in await changes(desk, desk.channel.id)] == [
        messaging_v1.CHANNEL_STATE_CONNECTED,
        messaging_v1.CHANNEL_STATE_NOT_CONNECTED,
    ]
