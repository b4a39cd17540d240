"""Channels: created, changed, tested and stopped by people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.errors import VersionConflict
from chassis.ids import derived_id
from services.messaging import events
from services.messaging.actions import audited
from services.messaging.actions.connection import (
    break_connection,
    change_state,
    mend_connection,
)
from services.messaging.actions.vault import Vault
from services.messaging.channels.adapters import Adapters
from services.messaging.channels.port import Connection, TokenCheck
from services.messaging.model.channel import (
    Channel,
    ChannelId,
    ChannelKind,
    ChannelSettings,
    ChannelState,
    with_state,
)
from services.messaging.model.connect import (
    RATES,
    Credentials,
    checked_settings,
    merged_credentials,
    refuse_unless_connectable,
    refuse_unless_usable,
)
from services.messaging.model.faults import ChannelNotFound
from services.messaging.store import channels as store
from services.messaging.store import dispatch as dispatch_store
from services.messaging.store import requests

METHOD = "CreateChannel"
TEST = "ChannelService/TestChannel"
CHECK_WITHIN = timedelta(seconds=5)
DISCONNECTED_BY_PERSON = "DISCONNECTED"
BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000000")


@dataclass(frozen=True, slots=True)
class ChannelDesk:
    """What working on channels needs."""

    database: Database
    """As the app role."""
    clock: Clock
    vault: Vault
    adapters: Adapters
    wake_relay: Callable[[], None]
    wake_dispatch: Callable[[], None]


async def create_channel(
    desk: ChannelDesk,
    caller: Caller,
    *,
    request_id: str,
    kind: ChannelKind,
    display_name: str,
    settings: ChannelSettings | None,
    credentials: Credentials,
) -> Channel:
    """Create and connect a channel.

    A repeat returns the channel as it is now; settings and credentials may have been changed since
    and are not compared. Events: ChannelChanged.
    Raises: ChannelKindUnsupported, FieldInvalid, IdempotencyKeyReused.
    """
    refuse_unless_connectable(kind)
    settings = checked_settings(kind, settings)
    refuse_unless_usable(credentials)
    now = desk.clock.now()
    workspace_id = caller.workspace
    # Derived, so that it cannot be another workspace's, and a repeat finds it.
    channel_id = ChannelId(derived_id("channel", workspace_id, request_id))
    channel = Channel(
        id=channel_id,
        workspace_id=workspace_id,
        kind=kind,
        display_name=display_name,
        state=ChannelState.CONNECTED,
        create_time=now,
        state_time=now,
        settings=settings,
    )
    async with desk.database.begin(workspace_id) as transaction:
        earlier_id = await requests.remember(
            transaction,
            request_id,
            method=METHOD,
            digest=requests.digest_of(kind.value, display_name),
            entity_id=channel_id,
            at=now,
        )
        if earlier_id is not None:
            return await _read(transaction, earlier_id)
        rate = RATES[kind]
        await store.create(
            transaction,
            channel,
            calls_per_second=rate.calls_per_second,
            calls_at_once=rate.calls_at_once,
        )
        if not kind.is_own_platform:
            await desk.vault.seal(transaction, workspace_id, channel_id, credentials, at=now)
        await outbox.append(transaction, [events.channel_changed(workspace_id, channel)], at=now)
        changes = [audited.channel_changed(None, channel, credentials)]
        await audit.append(transaction, caller, "ChannelService/CreateChannel", changes, at=now)
        transaction.after_commit(desk.wake_relay)
    return channel


async def get_channel(desk: ChannelDesk, caller: Caller, channel_id: str) -> Channel:
    """One channel. Raises: ChannelNotFound."""
    async with desk.database.begin(caller.workspace) as transaction:
        return await _read(transaction, channel_id)


async def list_channels(
    desk: ChannelDesk, caller: Caller, *, after: tuple[datetime, str] | None, limit: int
) -> list[Channel]:
    """The workspace's channels, oldest first."""
    async with desk.database.begin(caller.workspace) as transaction:
        return await store.list_page(transaction, after=after or BEGINNING, limit=limit)


async def update_channel(
    desk: ChannelDesk,
    caller: Caller,
    *,
    channel_id: str,
    display_name: str,
    settings: ChannelSettings | None,
    credentials: Credentials | None,
    expected_version: int,
) -> Channel:
    """Change what is given, also of the credentials; new ones connect the channel again.

    What was given up for the broken connection in the last 15 minutes is then tried again. Nothing
    changed means no new version. Events: ChannelChanged.
    Raises: ChannelNotFound, VersionConflict, FieldInvalid.
    """
    if credentials is not None:
        refuse_unless_usable(credentials)
    now = desk.clock.now()
    async with desk.database.begin(caller.workspace) as transaction:
        channel = await _read(transaction, channel_id, lock="FOR UPDATE")
        if expected_version and expected_version != channel.version:
            raise VersionConflict(
                expected_version=expected_version, present_version=channel.version
            )
        changed = replace(
            channel,
            display_name=display_name or channel.display_name,
            settings=(
                channel.settings if settings is None else checked_settings(channel.kind, settings)
            ),
        )
        if credentials is not None:
            if not channel.kind.is_own_platform:
                earlier = await desk.vault.open(transaction, caller.workspace, channel_id)
                merged = merged_credentials(earlier.credentials, credentials)
                await desk.vault.seal(transaction, caller.workspace, channel_id, merged, at=now)
            changed = replace(
                changed, state=ChannelState.CONNECTED, state_reason="", state_time=now
            )
        if changed == channel:
            return channel
        changed = replace(changed, version=channel.version + 1)
        if credentials is not None:
            await change_state(transaction, changed, at=now)
        else:
            await store.save(transaction, changed)
            await outbox.append(
                transaction, [events.channel_changed(caller.workspace, changed)], at=now
            )
        changes = [audited.channel_changed(channel, changed, credentials)]
        await audit.append(transaction, caller, "ChannelService/UpdateChannel", changes, at=now)
        transaction.after_commit(desk.wake_relay)
        transaction.after_commit(desk.wake_dispatch)
    return changed


async def disconnect_channel(desk: ChannelDesk, caller: Caller, channel_id: str) -> Channel:
    """Stop a channel; its conversations stay, what waits to be sent fails.

    A repeat returns the same. Events: ChannelChanged. Raises: ChannelNotFound.
    """
    now = desk.clock.now()
    async with desk.database.begin(caller.workspace) as transaction:
        channel = await _read(transaction, channel_id, lock="FOR UPDATE")
        stopped = with_state(
            channel, ChannelState.NOT_CONNECTED, reason=DISCONNECTED_BY_PERSON, at=now
        )
        if stopped is channel:
            return channel
        await change_state(transaction, stopped, at=now)
        changes = [audited.channel_changed(channel, stopped)]
        await audit.append(transaction, caller, "ChannelService/DisconnectChannel", changes, at=now)
        transaction.after_commit(desk.wake_relay)
    # Apart from the change, for the order of locks; without it deadlines decide.
    async with desk.database.begin(caller.workspace) as transaction:
        await dispatch_store.decide_channel(transaction, channel_id, at=now)
        transaction.after_commit(desk.wake_dispatch)
    return stopped


async def test_channel(
    desk: ChannelDesk, caller: Caller, channel_id: str
) -> tuple[TokenCheck, Channel]:
    """Ask the platform whether our credential works, and set the state by its answer.

    A platform that does not answer changes nothing. Events: ChannelChanged when the state changed.
    Raises: ChannelNotFound.
    """
    async with desk.database.begin(caller.workspace) as transaction:
        channel = await _read(transaction, channel_id)
        opened = await desk.vault.open(transaction, caller.workspace, channel_id)
    connection = Connection(
        channel.settings, opened.credentials, channel.capabilities.is_idempotent
    )
    check = await desk.adapters.of(channel.kind).check(connection, within=CHECK_WITHIN)
    now = desk.clock.now()
    async with desk.database.begin(caller.workspace) as transaction:
        after: Channel | None = channel
        if check.is_refused:
            after = await break_connection(
                transaction,
                channel_id,
                credentials_version=opened.version,
                reason=check.detail,
                by=caller,
                command=TEST,
                at=now,
            )
        elif check.is_working:
            after = await mend_connection(transaction, channel_id, by=caller, command=TEST, at=now)
        transaction.after_commit(desk.wake_relay)
        transaction.after_commit(desk.wake_dispatch)
    return check, after or channel


async def _read(transaction: Transaction, channel_id: str, *, lock: str = "") -> Channel:
    channel = await store.read(transaction, channel_id, lock=lock)
    if channel is None:
        raise ChannelNotFound(channel_id=channel_id)
    return channel
