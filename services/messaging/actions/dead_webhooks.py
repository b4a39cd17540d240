"""Dead webhooks: what failed too often is shown to a person, who has it tried again."""

from __future__ import annotations

from collections.abc import Callable

from chassis import audit
from chassis.auth import Caller
from chassis.database import Transaction
from services.messaging.actions import audited
from services.messaging.actions.channels import ChannelDesk
from services.messaging.model.faults import ChannelNotFound, DeadWebhookNotFound
from services.messaging.model.webhook import DeadWebhook, DeadWebhookId
from services.messaging.store import channels as channel_store
from services.messaging.store import dead_webhooks as store
from services.messaging.store import requests

METHOD = "RedriveWebhooks"
MAX_REDRIVEN = 500


async def list_dead_webhooks(
    desk: ChannelDesk,
    caller: Caller,
    *,
    channel_id: str | None,
    after: store.Place | None,
    limit: int,
    include_raw: bool,
) -> list[DeadWebhook]:
    """The workspace's dead webhooks, oldest first. Raises: ChannelNotFound."""
    async with desk.database.begin(caller.workspace) as transaction:
        await _require_channel(transaction, channel_id)
        return await store.list_page(
            transaction,
            channel_id=channel_id,
            after=after or store.BEGINNING,
            limit=limit,
            include_raw=include_raw,
        )


async def redrive_webhooks(
    desk: ChannelDesk,
    caller: Caller,
    *,
    request_id: str,
    channel_id: str | None,
    only: DeadWebhookId | None,
    wake: Callable[[], None],
) -> int:
    """Have the oldest MAX_REDRIVEN dead webhooks tried again; how many that are.

    A repeat sets nothing in motion and returns the same number.
    Raises: ChannelNotFound, DeadWebhookNotFound, IdempotencyKeyReused.
    """
    now = desk.clock.now()
    async with desk.database.begin(caller.workspace) as transaction:
        await _require_channel(transaction, channel_id)
        dead = await store.lock(transaction, channel_id=channel_id, only=only, limit=MAX_REDRIVEN)
        earlier_count = await requests.remember(
            transaction,
            request_id,
            method=METHOD,
            digest=requests.digest_of(channel_id or "", str(only or "")),
            entity_id=str(len(dead)),
            at=now,
        )
        if earlier_count is not None:
            return int(earlier_count)
        if only is not None and not dead:
            raise DeadWebhookNotFound(dead_webhook_id=str(only))
        await store.redrive(transaction, dead, at=now)
        changes = [audited.webhook_redriven(one) for one in dead]
        await audit.append(transaction, caller, "ChannelService/RedriveWebhooks", changes, at=now)
        transaction.after_commit(wake)
    return len(dead)


async def _require_channel(transaction: Transaction, channel_id: str | None) -> None:
    if channel_id is not None and await channel_store.read(transaction, channel_id) is None:
        raise ChannelNotFound(channel_id=channel_id)
