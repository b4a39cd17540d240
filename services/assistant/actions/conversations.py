"""What is known of conversations: taking in what happened there, silence, and forgetting."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from chassis import audit
from chassis.auth import Caller
from chassis.database import Database, Transaction
from chassis.errors import TemporarilyUnavailable
from services.assistant.actions import audited
from services.assistant.actions.means import Means
from services.assistant.model.turns import (
    Duty,
    FolderNews,
    News,
    answered,
    due_time,
    silenced,
    silenced_unheard,
    take_in,
)
from services.assistant.store import duties, turns
from services.assistant.store import settings as settings_store

FORGET = "AssistantService/ForgetConversations"


async def take_in_news(transaction: Transaction, news: Sequence[News]) -> None:
    """Apply what messaging says about threads of one workspace, in order; a repeat changes nothing.

    A customer's message in AI mode makes an answer due; everything else may make it due no more.
    """
    if not news:
        return
    settings = (await settings_store.read(transaction)).settings
    held = await duties.lock(transaction, sorted({one.conversation_id for one in news}))
    before = {conversation_id: one.duty for conversation_id, one in held.items()}
    after: dict[str, Duty] = dict(before)
    for one in news:
        after[one.conversation_id] = take_in(after.get(one.conversation_id), one, settings)
    await duties.save(
        transaction,
        [
            (duty, due_time(duty, settings))
            for conversation_id, duty in after.items()
            if duty != before.get(conversation_id)
        ],
    )


async def take_in_folders(transaction: Transaction, news: Sequence[FolderNews]) -> None:
    """Apply what conversation says about conversations of one workspace, in order.

    In Spam the AI does not answer, also what it has begun to write.
    """
    if not news:
        return
    settings = (await settings_store.read(transaction)).settings
    held = await duties.lock(transaction, sorted({one.conversation_id for one in news}))
    after: dict[str, Duty] = {key: one.duty for key, one in held.items()}
    for one in news:
        duty = after.get(one.conversation_id)
        if duty is not None:
            after[one.conversation_id] = silenced(
                duty, is_silenced=one.is_silenced, inbound_count=one.inbound_count
            )
        elif one.is_silenced:
            after[one.conversation_id] = silenced_unheard(one.conversation_id, at=one.at)
    for conversation_id, duty in after.items():
        if conversation_id in held:
            if duty != held[conversation_id].duty:
                await duties.update(transaction, duty, due_time(duty, settings))
        elif duty.is_silenced:
            await duties.begin_silent(transaction, duty)


async def forget_conversations(
    means: Means,
    worker: Database,
    caller: Caller,
    conversation_ids: Sequence[str],
    *,
    is_taken_in: Awaitable[bool] | None = None,
) -> None:
    """Remove everything that was said there; a repeat finds nothing more to remove.

    What messaging told of them is taken in first, if that is to be waited for. What was to be
    answered is not answered any more. The audit of turns stays: nothing a customer said is in it.
    Raises: TemporarilyUnavailable.
    """
    if is_taken_in is not None and not await is_taken_in:
        raise TemporarilyUnavailable(part="the reader of messaging's events")
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        known = await duties.lock(transaction, sorted(conversation_ids))
        for held in known.values():
            duty = answered(held.duty, held.duty.inbound_count)
            await duties.update(transaction, duty, None)
        await turns.forget(transaction, conversation_ids)
        changes = [audited.conversation_forgotten(one) for one in known]
        await audit.append(transaction, caller, FORGET, changes, at=at)
    async with worker.begin(caller.workspace) as transaction:
        await turns.forget_parked(transaction, conversation_ids)
