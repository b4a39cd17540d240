"""One leased lane: decide what is due, commit the intent to call, write down what came of it.

Everything happens under the thread's lock and the lane's fence. Locks are taken in the order
thread, lane, channel, bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.audit import SYSTEM
from chassis.database import Database, Transaction
from services.messaging.actions.connection import break_connection
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.actions.receipts import claim_platform_id
from services.messaging.actions.retry import add_attempts, cancel_attempts
from services.messaging.actions.vault import Vault
from services.messaging.channels.port import Connection, FoundSend, OutboundMessage
from services.messaging.model import dispatch as rules
from services.messaging.model.channel import Channel, ChannelState
from services.messaging.model.delivery import DeliveryStatus, FailureReason, ReceiptSource
from services.messaging.model.dispatch import (
    Accepted,
    LaneView,
    OpenAttempt,
    RateLimited,
    SendOutcome,
    TokenRefused,
    Verdict,
)
from services.messaging.model.message import MessageId
from services.messaging.model.thread import Thread
from services.messaging.store import channels as channel_store
from services.messaging.store import dispatch as store
from services.messaging.store import receipts as receipt_store
from services.messaging.store.delivery import NewReceipt, lock_thread
from services.messaging.store.dispatch import LeasedLane


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose intent is committed."""

    attempt: OpenAttempt
    channel: Channel
    connection: Connection
    credentials_version: int
    message: OutboundMessage


@dataclass(frozen=True, slots=True)
class LookUps:
    """Sends of unknown outcome that the platform shall be asked about."""

    channel: Channel
    connection: Connection
    attempts: tuple[OpenAttempt, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A call and what came of it."""

    call: Call
    outcome: SendOutcome
    answer_millis: int
    rest: timedelta | None = None
    """How long the channel's breaker lets it rest."""
    luck: float = 1.0


Found = Mapping[tuple[MessageId, int], FoundSend]
"""What look-ups found, by message and attempt."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What working on lanes needs."""

    database: Database
    """As the worker role."""
    vault: Vault
    has_lookup: Callable[[Channel], bool]
    wake_relay: Callable[[], None]


async def take_up(
    desk: Desk, lane: LeasedLane, *, now: datetime, found: Found | None = None
) -> Call | LookUps | None:
    """Decide what is due in the lane. A call or look-ups keep the lease, else it is given back.

    `found` is what look-ups under this lease have found. A lane leased by somebody else
    meanwhile is left alone. Events: DeliveryStatusChanged for what changed.
    """
    async with desk.database.begin(lane.workspace_id) as transaction:
        held = await _hold(transaction, lane)
        if held is None:
            return None
        transaction.after_commit(desk.wake_relay)
        if found is not None:
            await _note_found(transaction, lane, found, at=now)
        elif not lane.may_call:
            lookups = await _lookups(desk, transaction, lane, held, now=now)
            if lookups is not None:
                return lookups
        attempt = await _settle(transaction, lane, held, now=now, may_call=lane.may_call)
        if attempt is None:
            return None
        opened = await desk.vault.open(transaction, lane.workspace_id, lane.channel_id)
        intent = rules.called(attempt, fence=lane.fence, now=now)
        await store.note_call(transaction, intent)
        await take_in_evidence(
            transaction,
            lane.workspace_id,
            [_receipt(intent, DeliveryStatus.SENDING, ReceiptSource.DISPATCH)],
            at=now,
        )
    return Call(
        attempt=intent,
        channel=held.channel,
        connection=Connection(
            held.channel.settings, opened.credentials, held.channel.capabilities.is_idempotent
        ),
        credentials_version=opened.version,
        message=OutboundMessage(
            recipient=held.thread.external_id,
            text=intent.text,
            channel_key=intent.channel_key,
            callback_data=mark_of(intent),
            attachment=next(iter(intent.attachments), None),
        ),
    )


async def finish(desk: Desk, lane: LeasedLane, ended: Ended, *, now: datetime) -> None:
    """Write down what came of a call, under the lane's fence, and give the lane back.

    If the lease was lost, only an acceptance is kept: it is evidence, whoever writes it down.
    Events: DeliveryStatusChanged; ChannelChanged when the platform refused our token.
    """
    async with desk.database.begin(lane.workspace_id) as transaction:
        held = await _hold(transaction, lane)
        if held is None and not isinstance(ended.outcome, Accepted):
            return
        transaction.after_commit(desk.wake_relay)
        await _note_outcome(transaction, lane, ended, is_fenced=held is not None, now=now)
        if held is None:
            return
        channel = await _touch_channel(transaction, lane, ended, now=now)
        held = replace(held, channel=channel or held.channel)
        await _settle(transaction, lane, held, now=now, may_call=False)


@dataclass(frozen=True, slots=True)
class _Held:
    """A lane whose thread is locked and whose fence is ours."""

    thread: Thread
    channel: Channel
    revivable_until: datetime | None


async def _hold(transaction: Transaction, lane: LeasedLane) -> _Held | None:
    thread = await lock_thread(transaction, lane.conversation_id)
    row = await store.lock_lane(transaction, lane.conversation_id)
    channel = await channel_store.read(transaction, lane.channel_id)
    if thread is None or row is None or channel is None or row.fence != lane.fence:
        return None
    return _Held(thread, channel, row.revivable_until)


async def _settle(
    transaction: Transaction, lane: LeasedLane, held: _Held, *, now: datetime, may_call: bool
) -> OpenAttempt | None:
    """Apply what time has decided; give the lane back unless there is a call to make."""
    revivable_until = await _revive(transaction, lane, held, now=now)
    owing, arrived = await store.read_open(transaction, lane.conversation_id)
    await cancel_attempts(transaction, lane.workspace_id, arrived, at=now)
    view = LaneView(
        now=now,
        mode=held.thread.mode,
        channel_state=held.channel.state,
        is_idempotent=held.channel.capabilities.is_idempotent,
        is_paused=await store.is_paused(transaction, lane.channel_id, now),
        may_call=may_call,
    )
    plan = rules.plan_lane(owing, view)
    await _apply(transaction, lane, plan.verdicts, at=now)
    if any(_is_for_reconnection(verdict) for verdict in plan.verdicts):
        revivable_until = now + rules.REVIVE_WITHIN
    if plan.call is not None:
        return plan.call
    await store.release(
        transaction,
        lane,
        next_attempt_time=plan.next_attempt_time,
        decision_time=plan.decision_time,
        revivable_until=revivable_until,
    )
    return None


async def _revive(
    transaction: Transaction, lane: LeasedLane, held: _Held, *, now: datetime
) -> datetime | None:
    """Try again what failed only because the channel needed reconnection; it is connected now."""
    if held.revivable_until is None or held.channel.state is not ChannelState.CONNECTED:
        return held.revivable_until
    failed = await store.read_revivable(
        transaction,
        lane.conversation_id,
        younger_than=now - rules.REVIVE_WITHIN - rules.START_WITHIN,
        last_seq=held.thread.last_seq,
    )
    await add_attempts(
        transaction, lane.workspace_id, failed, source=ReceiptSource.DISPATCH, at=now
    )
    return None


async def _apply(
    transaction: Transaction, lane: LeasedLane, verdicts: Sequence[Verdict], *, at: datetime
) -> None:
    for verdict in verdicts:
        await store.note_call(
            transaction, replace(verdict.attempt, fence=None, due_time=verdict.due_time)
        )
    await take_in_evidence(
        transaction,
        lane.workspace_id,
        [
            _receipt(verdict.attempt, verdict.status, verdict.source, verdict)
            for verdict in verdicts
            if verdict.status is not None
        ],
        at=at,
    )


async def _note_outcome(
    transaction: Transaction, lane: LeasedLane, ended: Ended, *, is_fenced: bool, now: datetime
) -> None:
    call = ended.call
    verdict = rules.after_outcome(
        call.attempt,
        ended.outcome,
        now=now,
        is_idempotent=call.connection.is_idempotent,
        luck=ended.luck,
    )
    platform_id: str | None = None
    receipts: list[NewReceipt] = []
    if verdict.status is not None:
        receipts.append(
            replace(
                _receipt(call.attempt, verdict.status, verdict.source, verdict),
                answer_millis=ended.answer_millis,
            )
        )
    if verdict.platform_message_id:
        platform_id, waiting = await claim_platform_id(
            transaction,
            lane.channel_id,
            call.attempt.message_id,
            call.attempt.number,
            verdict.platform_message_id,
        )
        receipts += waiting
    if is_fenced:
        await store.note_call(
            transaction,
            replace(
                call.attempt,
                fence=None,
                due_time=verdict.due_time,
                is_doubtful=call.attempt.is_doubtful or verdict.is_doubtful,
            ),
            answer_time=now if verdict.status is not None else None,
            platform_message_id=platform_id,
        )
    elif platform_id is not None:
        await receipt_store.note_platform_id(
            transaction, call.attempt.message_id, call.attempt.number, platform_id
        )
    await take_in_evidence(transaction, lane.workspace_id, receipts, at=now)


async def _touch_channel(
    transaction: Transaction, lane: LeasedLane, ended: Ended, *, now: datetime
) -> Channel | None:
    """Let the channel rest, or mark its connection as broken; the changed channel."""
    outcome = ended.outcome
    rests = [ended.rest] if ended.rest is not None else []
    if isinstance(outcome, RateLimited):
        rests.append(rules.rate_pause(outcome))
    if rests:
        await store.pause(transaction, lane.channel_id, now + max(rests))
    if not isinstance(outcome, TokenRefused):
        return None
    return await break_connection(
        transaction,
        lane.channel_id,
        credentials_version=ended.call.credentials_version,
        reason=outcome.code,
        by=SYSTEM,
        command="token_refused",
        at=now,
    )


async def _lookups(
    desk: Desk, transaction: Transaction, lane: LeasedLane, held: _Held, *, now: datetime
) -> LookUps | None:
    if not desk.has_lookup(held.channel):
        return None
    owing, _ = await store.read_open(transaction, lane.conversation_id)
    asked = tuple(attempt for attempt in owing if rules.is_worth_a_lookup(attempt, now))
    if not asked:
        return None
    opened = await desk.vault.open(transaction, lane.workspace_id, lane.channel_id)
    connection = Connection(
        held.channel.settings, opened.credentials, held.channel.capabilities.is_idempotent
    )
    return LookUps(held.channel, connection, asked)


async def _note_found(
    transaction: Transaction, lane: LeasedLane, found: Found, *, at: datetime
) -> None:
    receipts: list[NewReceipt] = []
    for (message_id, number), send in found.items():
        receipts.append(
            NewReceipt(
                message_id=message_id,
                attempt_number=number,
                status=send.status,
                source=ReceiptSource.DISPATCH,
                failure=send.failure,
                platform_message_id=send.platform_message_id,
            )
        )
        if send.platform_message_id:
            claimed, waiting = await claim_platform_id(
                transaction, lane.channel_id, message_id, number, send.platform_message_id
            )
            receipts += waiting
            if claimed is not None:
                await receipt_store.note_platform_id(transaction, message_id, number, claimed)
    await take_in_evidence(transaction, lane.workspace_id, receipts, at=at)


mark_of = rules.callback_data
"""What a platform is asked about."""


def _is_for_reconnection(verdict: Verdict) -> bool:
    return (
        verdict.failure is not None
        and verdict.failure.reason is FailureReason.CHANNEL_NEEDS_RECONNECTION
    )


def _receipt(
    attempt: OpenAttempt,
    status: DeliveryStatus,
    source: ReceiptSource,
    verdict: Verdict | None = None,
) -> NewReceipt:
    return NewReceipt(
        message_id=attempt.message_id,
        attempt_number=attempt.number,
        status=status,
        source=source,
        failure=verdict.failure if verdict else None,
        platform_message_id=verdict.platform_message_id if verdict else "",
    )
