"""Platforms' calls: kept before they are answered, processed afterwards, in order per contact."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import TemporarilyUnavailable, Unavailable
from chassis.ids import WorkspaceId
from chassis.logs import log
from chassis.parking import summary_of
from services.messaging.actions.echo import take_in_echo
from services.messaging.actions.inbound import accept_inbound
from services.messaging.actions.receipts import take_in_report, take_in_watermark_report
from services.messaging.actions.vault import Vault
from services.messaging.actions.writers import Writers
from services.messaging.channels.adapters import Adapters
from services.messaging.channels.port import (
    Channel,
    EchoedText,
    InboundText,
    StatusReport,
    UnknownItem,
    WatermarkReport,
    WebhookItem,
)
from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.model.draft import Opening
from services.messaging.model.faults import (
    ChannelKindUnsupported,
    ChannelNotFound,
    WebhookSignatureInvalid,
    WebhookTooLarge,
)
from services.messaging.store import channels as channel_store
from services.messaging.store import webhooks as store
from services.messaging.store.webhooks import NewItem, ProcessedItem, TakenItem

MAX_BODY_BYTES = 1024 * 1024
MAX_TRIES = 8
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(minutes=1)
MAX_SPLIT = 20
MAX_KEY_LENGTH = 500
STORE_WITHIN = timedelta(seconds=10)


class AcceptInbound(Protocol):
    """Stores a customer's message; a repeat of a platform's message id adds nothing."""

    async def __call__(
        self,
        workspace_id: WorkspaceId,
        channel_id: ChannelId,
        channel_kind: ChannelKind,
        message: InboundText,
    ) -> None:
        """Store it for good before returning."""
        ...


def accept_through(writers: Writers) -> AcceptInbound:
    """Customers' messages go the way of every message: through the writers' group commits."""

    async def accept(
        workspace_id: WorkspaceId,
        channel_id: ChannelId,
        channel_kind: ChannelKind,
        message: InboundText,
    ) -> None:
        await accept_inbound(
            writers,
            workspace_id,
            opening=Opening(channel_id, channel_kind, message.external_id, message.customer_name),
            platform_message_id=message.platform_message_id,
            text=message.text,
            platform_time=message.platform_time,
            within=STORE_WITHIN,
            special=message.special,
        )

    return accept


@dataclass(frozen=True, slots=True)
class IntakeDesk:
    """What taking in webhooks needs."""

    database: Database
    """As the worker role."""
    clock: Clock
    vault: Vault
    adapters: Adapters
    accept_inbound: AcceptInbound
    wake_relay: Callable[[], None]


async def ingest_webhook(
    desk: IntakeDesk,
    *,
    kind: ChannelKind,
    channel_id: str,
    headers: Mapping[str, str],
    body: bytes,
    method: str,
) -> bool:
    """Keep a platform's call for good; True when it had come before and nothing was added.

    The platform knows no workspace: the channel's route says whose it is, and the channel's secret
    whether to believe it.
    Raises: WebhookTooLarge, ChannelNotFound, ChannelKindUnsupported, WebhookSignatureInvalid,
    TemporarilyUnavailable.
    """
    if len(body) > MAX_BODY_BYTES:
        raise WebhookTooLarge(size_bytes=len(body), max_bytes=MAX_BODY_BYTES)
    async with desk.database.begin() as transaction:
        route = await channel_store.read_route(transaction, channel_id)
    if route is None or route.kind is not kind:
        raise ChannelNotFound(channel_id=channel_id)
    adapter = desk.adapters.of(kind)
    if kind.is_own_platform or method != "POST":
        raise ChannelKindUnsupported(kind=kind.value)
    now = desk.clock.now()
    async with desk.database.begin(route.workspace_id) as transaction:
        opened = await desk.vault.open(transaction, route.workspace_id, channel_id)
        if not opened.is_readable:
            raise TemporarilyUnavailable(part="the channel's webhook secret")
        if not adapter.is_genuine(opened.credentials, headers, body):
            raise WebhookSignatureInvalid(channel_id=channel_id)
        items, error = split(adapter, channel_id, body)
        is_new = await store.add_call(
            transaction,
            route.workspace_id,
            channel_id,
            dedupe_key=hashlib.sha256(body).hexdigest(),
            raw=body,
            items=items,
            at=now,
            error=error,
        )
    log.info(
        "webhook_kept",
        channel_id=channel_id,
        size_bytes=len(body),
        item_count=len(items or ()),
        replayed=not is_new,
    )
    return not is_new


def split(adapter: Channel, channel_id: str, body: bytes) -> tuple[list[NewItem] | None, str]:
    """The items of a call, or None and why it cannot be split now: it is kept all the same."""
    try:
        return [_new_item(item, raw) for item, raw in adapter.read(body)], ""
    except Exception as error:  # noqa: BLE001 - a fault of ours must not make the platform give up
        log.error("webhook_unreadable", channel_id=channel_id, exc_info=error)
        return None, summary_of(error)


async def split_left_over(desk: IntakeDesk) -> int:
    """Split calls that could not be split when they came; how many were tried.

    One that fails too often is put aside, kept, as a failing item is.
    """
    now = desk.clock.now()
    async with desk.database.begin() as transaction:
        calls = await store.read_unsplit(transaction, now=now, limit=MAX_SPLIT)
        for call in calls:
            items, error = split(desk.adapters.of(call.kind), call.channel_id, bytes(call.raw))
            if items is None:
                again = _next_try(call.try_count + 1, at=now)
                if again is None:
                    log.error("webhook_call_dead", channel_id=call.channel_id, call_id=call.id)
                await store.save_split(transaction, call.id, next_try_time=again, error=error)
            else:
                await store.add_items(
                    transaction, call.workspace_id, call.channel_id, call.id, items, at=now
                )
                await store.save_split(transaction, call.id, process_time=now)
    return len(calls)


async def process(desk: IntakeDesk, item: TakenItem) -> ProcessedItem:
    """Process one item by itself; what becomes of it. A repeat has no further effect.

    A failing item is tried again with growing pauses while later ones of its contact wait, and is
    put aside, kept, when it failed too often. Raises: Unavailable, which is not the item's fault.
    """
    try:
        await _take_in(desk, item)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one item must not stop the others
        tries = item.try_count + 1
        again = _next_try(tries, at=desk.clock.now())
        log.error(
            "webhook_item_failed",
            channel_id=item.channel_id,
            item_id=item.id,
            tries=tries,
            is_dead=again is None,
            exc_info=error,
        )
        state = "dead" if again is None else "waiting"
        return ProcessedItem(item.id, state, tries, again, summary_of(error))
    return ProcessedItem(item.id, "done", item.try_count + 1)


async def _take_in(desk: IntakeDesk, taken: TakenItem) -> None:
    item = desk.adapters.of(taken.kind).read_item(taken.raw)
    now = desk.clock.now()
    match item:
        case InboundText():
            await desk.accept_inbound(taken.workspace_id, taken.channel_id, taken.kind, item)
        case EchoedText():
            opening = Opening(taken.channel_id, taken.kind, item.external_id)
            await take_in_echo(desk.database, taken.workspace_id, opening, item, at=now)
        case StatusReport():
            await take_in_report(desk.database, taken.workspace_id, taken.channel_id, item, at=now)
        case WatermarkReport():
            await take_in_watermark_report(
                desk.database, taken.workspace_id, taken.channel_id, item, at=now
            )
        case UnknownItem():
            log.info("webhook_item_unknown", channel_id=taken.channel_id, item_id=taken.id)
    desk.wake_relay()


def _new_item(item: WebhookItem, raw: bytes) -> NewItem:
    if isinstance(item, UnknownItem):
        return NewItem(_key(item.dedupe_key), item.external_id, raw, "kept", item.reason)
    if isinstance(item, StatusReport) or (isinstance(item, EchoedText) and item.is_ours):
        # Receipts need no order (I8), so none waits for another message's.
        return NewItem(_key(item.dedupe_key), f"receipt {item.platform_message_id}", raw, "waiting")
    return NewItem(_key(item.dedupe_key), f"contact {item.external_id}", raw, "waiting")


def _key(text: str) -> str:
    return text if len(text) <= MAX_KEY_LENGTH else hashlib.sha256(text.encode()).hexdigest()


def _next_try(tries: int, *, at: datetime) -> datetime | None:
    """When to try again after so many failures; None for never by itself."""
    if tries >= MAX_TRIES:
        return None
    return at + min(FIRST_PAUSE * (1 << (tries - 1)), LONGEST_PAUSE)
