"""What messaging's audit says of channels, modes, settings and retries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.messaging.actions import channels as channel_actions
from services.messaging.actions import settings as settings_actions
from services.messaging.actions.resume import resume_next
from services.messaging.model.thread import ConversationMode
from tests.audited import Kept, kept_in
from tests.service.messaging.platform_desk import (
    SECRET,
    TOKEN,
    PlatformDesk,
    running_platform_desk,
)


@pytest.fixture
async def desk(
    app: Database, worker: Database, workspace_id: WorkspaceId
) -> AsyncIterator[PlatformDesk]:
    async with running_platform_desk(app, worker, workspace_id) as running:
        running.account.has_lookup = False
        await running.connect()
        await running.open()
        yield running


async def story_of(desk: PlatformDesk, entity_id: str) -> list[Kept]:
    kept = await kept_in(desk.app, desk.workspace_id)
    return [one for one in kept if one.entity_id == entity_id]


async def test_a_channels_story_says_that_credentials_were_given_and_never_which(
    desk: PlatformDesk,
) -> None:
    desk.clock.advance(timedelta(hours=1))
    await desk.reconnect("another-token")
    await channel_actions.disconnect_channel(desk.channels, desk.owner, desk.channel.id)
    await channel_actions.disconnect_channel(desk.channels, desk.owner, desk.channel.id)

    created, updated, disconnected = story = await story_of(desk, desk.channel.id)

    assert [one.command for one in story] == [
        "ChannelService/CreateChannel",
        "ChannelService/UpdateChannel",
        "ChannelService/DisconnectChannel",
    ]
    assert created.after is not None
    assert created.after["settings.account_id"] == desk.account.id
    given = {"credentials.access_token": "withheld", "credentials.webhook_secret": "withheld"}
    assert created.after.items() >= given.items()
    assert (updated.before, updated.after) == ({}, given)
    assert disconnected.before == {"state": "connected", "state_reason": ""}
    assert disconnected.after == {"state": "not_connected", "state_reason": "DISCONNECTED"}
    assert not [secret for secret in (TOKEN, SECRET, "another-token") if secret in str(story)]


async def test_a_platform_that_refuses_the_token_is_told_from_a_person(desk: PlatformDesk) -> None:
    desk.account.switches.change({"is_token_expired": True})
    await desk.send()
    await desk.dispatch()

    await channel_actions.test_channel(desk.channels, desk.owner, desk.channel.id)
    desk.account.switches.change({"is_token_expired": False})
    await channel_actions.test_channel(desk.channels, desk.owner, desk.channel.id)

    _, broken, mended = await story_of(desk, desk.channel.id)
    assert (broken.command, broken.actor) == ("token_refused", "system")
    assert broken.after == {"state": "reconnection_needed", "state_reason": "token_expired"}
    assert (mended.command, mended.actor) == ("ChannelService/TestChannel", "member Olga")
    assert mended.after == {"state": "connected", "state_reason": ""}


async def test_a_switch_of_mode_is_told_once_with_the_epoch_it_made(desk: PlatformDesk) -> None:
    await desk.switch_mode(ConversationMode.AI)
    await desk.switch_mode(ConversationMode.AI)

    (switched,) = await story_of(desk, desk.conversation())

    assert (switched.command, switched.actor) == ("MessagingService/SetMode", "member Olga")
    assert switched.before == {"mode": "manual", "mode_epoch": 1}
    assert switched.after == {"mode": "ai", "mode_epoch": 2}


async def test_an_ai_that_resumes_by_itself_is_told_from_a_person(desk: PlatformDesk) -> None:
    await desk.switch_mode(ConversationMode.AI)
    await desk.switch_mode(ConversationMode.MANUAL)
    desk.clock.advance(timedelta(minutes=16))

    assert await resume_next(desk.worker, now=desk.clock.now())

    *_, resumed = await story_of(desk, desk.conversation())
    assert (resumed.command, resumed.actor) == ("manual_time_over", "system")
    assert resumed.before == {"mode": "manual", "mode_epoch": 3}
    assert resumed.after == {"mode": "ai", "mode_epoch": 4}


async def test_a_retry_is_told_and_the_messages_themselves_are_not(desk: PlatformDesk) -> None:
    desk.account.switches.change({"fail_next": 1, "fail_code": "account_blocked"})
    message_id = await desk.send("a customer's words")
    await desk.dispatch()

    await desk.retry(message_id)
    await desk.retry(message_id)

    (retried,) = await story_of(desk, message_id)
    assert (retried.command, retried.actor) == ("MessagingService/RetryMessage", "member Olga")
    assert retried.before == {"delivery_status": "reported_failed"}
    assert retried.after == {"delivery_status": "queued"}
    assert "customer's words" not in str(await kept_in(desk.app, desk.workspace_id))


async def test_settings_are_told_with_what_they_were(desk: PlatformDesk) -> None:
    for _ in range(2):
        await settings_actions.update_settings(
            desk.app,
            desk.clock,
            desk.owner,
            default_mode=ConversationMode.AI,
            resume_ai_after=None,
            expected_version=0,
        )

    (changed,) = await story_of(desk, desk.workspace_id)

    assert changed.command == "MessagingService/UpdateMessagingSettings"
    assert (changed.before, changed.after) == ({"default_mode": "manual"}, {"default_mode": "ai"})


async def test_a_repeated_request_is_told_once(desk: PlatformDesk) -> None:
    request_id = new_id()
    desk.account.switches.change({"fail_next": 2, "fail_code": "account_blocked"})
    message_id = await desk.send()
    await desk.dispatch()

    await desk.retry(message_id, request_id)
    await desk.dispatch()
    await desk.retry(message_id, request_id)

    assert len(await story_of(desk, message_id)) == 1
