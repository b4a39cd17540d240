"""Turns: taken up under a lease, decided under a lock, carried out, closed.

The decision is committed before it is carried out. So a crash in between repeats it word for word,
under the same ids, and messaging drops the repeat; and of two workers only one decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.assistant import events
from services.assistant.actions.means import Means
from services.assistant.model.settings import AssistantSettings
from services.assistant.model.turns import (
    Decision,
    Duty,
    Mode,
    Outcome,
    Turn,
    after_turn,
    answered,
    due_time,
    why_stop,
)
from services.assistant.store import duties, turns
from services.assistant.store import settings as settings_store
from services.assistant.store.duties import Lease
from services.assistant.store.turns import Place

LOOK_AGAIN_AFTER = timedelta(seconds=1)
"""Messaging said that a person took over; the event that says so is on its way here."""


class LeaseLost(Exception):
    """Another worker has the duty: whatever this one found out is not wanted."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A duty to work on."""

    duty: Duty
    settings: AssistantSettings
    api_key: str
    decided: Turn | None
    """What a worker that is gone had decided and may not have carried out."""


async def take_up(means: Means, lease: Lease) -> Taken | None:
    """What a leased duty asks for; None when nothing is owed there. Raises: LeaseLost."""
    async with means.database.begin(lease.workspace_id) as transaction:
        duty = await _hold(transaction, lease)
        stored = await settings_store.read(transaction)
        decided = await turns.find_open(transaction, lease.conversation_id)
        if decided is None and due_time(duty, stored.settings) is None:
            await _save(transaction, lease, duty, None)
            return None
        api_key = await means.vault.open(transaction, lease.workspace_id, stored.api_key)
    return Taken(duty, stored.settings, api_key, decided)


async def learn_mode(means: Means, lease: Lease, mode: Mode, mode_epoch: int) -> None:
    """Messaging's own word on who answers, where its event is still on the way.

    Raises: LeaseLost.
    """
    async with means.database.begin(lease.workspace_id) as transaction:
        duty = await _hold(transaction, lease)
        if mode_epoch >= duty.mode_epoch:
            duty = replace(duty, mode=mode, mode_epoch=mode_epoch, try_count=0)
        settings = (await settings_store.read(transaction)).settings
        await _save(transaction, lease, duty, due_time(duty, settings))


async def give_up(means: Means, lease: Lease, known_ordinal: int) -> None:
    """Up to an ordinal there is nothing to answer any more. Raises: LeaseLost."""
    async with means.database.begin(lease.workspace_id) as transaction:
        duty = answered(await _hold(transaction, lease), known_ordinal)
        settings = (await settings_store.read(transaction)).settings
        await _save(transaction, lease, duty, due_time(duty, settings))


async def decide(means: Means, lease: Lease, turn: Turn, decision: Decision) -> Turn:
    """Commit to what is going to be said, unless something happened meanwhile.

    Gives the turn with the decision; or closed, without one. Raises: LeaseLost.
    """
    async with means.database.begin(lease.workspace_id) as transaction:
        duty = await _hold(transaction, lease)
        outcome = why_stop(duty, turn)
        if outcome is not None:
            return await _close(means, transaction, lease, duty, replace(turn, outcome=outcome))
        handover = decision.handover
        decided = replace(
            turn, decision=decision, handover_reason=handover.reason if handover else None
        )
        await turns.save(transaction, decided)
    return decided


async def close(means: Means, lease: Lease, turn: Turn) -> Turn:
    """End a turn as its outcome says, and forget what was said in it. Raises: LeaseLost."""
    async with means.database.begin(lease.workspace_id) as transaction:
        duty = await _hold(transaction, lease)
        return await _close(means, transaction, lease, duty, turn)


async def list_turns(
    means: Means, workspace_id: WorkspaceId, *, conversation_id: str, after: Place, page_size: int
) -> tuple[list[Turn], Place | None]:
    """Part of what the AI did, newest first, and where the rest begins."""
    async with means.database.begin(workspace_id) as transaction:
        # One more than shown tells whether there is another page.
        found = await turns.page(
            transaction, after, conversation_id=conversation_id, size=page_size + 1
        )
    shown = found[:page_size]
    if len(found) == len(shown):
        return shown, None
    return shown, Place(_ended(shown[-1]), shown[-1].id)


async def _close(
    means: Means, transaction: Transaction, lease: Lease, duty: Duty, turn: Turn
) -> Turn:
    now = means.clock.now()
    closed = replace(turn, decision=None, end_time=now)
    settings = (await settings_store.read(transaction)).settings
    after = after_turn(duty, closed)
    due = due_time(after, settings)
    if due is not None and closed.outcome is Outcome.TAKEN_OVER:
        due = max(due, now + LOOK_AGAIN_AFTER)
    await turns.save(transaction, closed)
    await _save(transaction, lease, after, due)
    await means.publish(transaction, [events.turn_ended(lease.workspace_id, closed)])
    return closed


async def _hold(transaction: Transaction, lease: Lease) -> Duty:
    held = (await duties.lock(transaction, [lease.conversation_id])).get(lease.conversation_id)
    if held is None or held.fence != lease.fence:
        raise LeaseLost
    return held.duty


async def _save(transaction: Transaction, lease: Lease, duty: Duty, due: datetime | None) -> None:
    await duties.save(transaction, [(duty, due)])
    await duties.release(transaction, lease)


def _ended(turn: Turn) -> datetime:
    assert turn.end_time is not None  # noqa: S101 - only ended turns are listed
    return turn.end_time
