"""Whether a platform lets us in: what changes a channel's state, and tells of it."""

from __future__ import annotations

from datetime import datetime

from chassis import audit, outbox
from chassis.audit import Actor
from chassis.auth import Caller
from chassis.database import Transaction
from services.messaging import events
from services.messaging.actions import audited
from services.messaging.model.channel import (
    Channel,
    ChannelState,
    connection_broken,
    with_state,
)
from services.messaging.store import channels as store


async def break_connection(
    transaction: Transaction,
    channel_id: str,
    *,
    credentials_version: int,
    reason: str,
    by: Caller | Actor,
    command: str,
    at: datetime,
) -> Channel | None:
    """Mark a channel as needing reconnection; the channel as it is then.

    Credentials that were changed since the refused call are not to blame for it.
    """
    channel = await store.read(transaction, channel_id, lock="FOR UPDATE")
    sealed = await store.read_credentials(transaction, channel_id)
    if channel is None or (sealed.version if sealed else 0) != credentials_version:
        return channel
    broken = connection_broken(channel, reason=reason, at=at)
    if broken is channel:
        return channel
    await change_state(transaction, broken, at=at)
    changes = [audited.channel_changed(channel, broken)]
    await audit.append(transaction, by, command, changes, at=at)
    return broken


async def mend_connection(
    transaction: Transaction, channel_id: str, *, by: Caller | Actor, command: str, at: datetime
) -> Channel | None:
    """Mark a channel that needed reconnection as connected; the channel as it is then.

    What a person disconnected stays disconnected. Events: ChannelChanged.
    """
    channel = await store.read(transaction, channel_id, lock="FOR UPDATE")
    if channel is None or channel.state is not ChannelState.RECONNECTION_NEEDED:
        return channel
    mended = with_state(channel, ChannelState.CONNECTED, reason="", at=at)
    await change_state(transaction, mended, at=at)
    changes = [audited.channel_changed(channel, mended)]
    await audit.append(transaction, by, command, changes, at=at)
    return mended


async def change_state(transaction: Transaction, channel: Channel, *, at: datetime) -> None:
    """Write a channel whose state changed, and tell of it."""
    await store.save_state(transaction, channel)
    await outbox.append(transaction, [events.channel_changed(channel.workspace_id, channel)], at=at)
