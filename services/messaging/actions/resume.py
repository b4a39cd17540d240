"""The AI resumes by itself, once no person wrote for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from chassis import audit
from chassis.audit import SYSTEM
from chassis.database import Database
from services.messaging.actions import audited
from services.messaging.actions.switching import switch_over
from services.messaging.model.message import INBOX, AiResumed
from services.messaging.model.mode import resumed
from services.messaging.store import timers

WHILE_BUSY = timedelta(milliseconds=200)
"""A timer whose thread is just being written to comes due again this much later."""


async def resume_next(database: Database, *, now: datetime) -> bool:
    """Deal with the timer that is due longest; False when none is.

    Timer, thread, row and events change in one transaction, and nobody else holds the timer
    meanwhile: the AI resumes once, whichever process does it and whenever it dies. A timer that a
    person's message has outrun moves to where the thread is now.
    Events: ModeChanged, MessageCreated.
    """
    async with database.begin() as transaction:
        timer = await timers.take_due(transaction, now=now)
        if timer is None:
            return False
        await transaction.enter(timer.workspace_id)
        thread = await timers.lock_thread_if_free(transaction, timer.conversation_id)
        if thread is None or thread.manual_until is None:
            await timers.move(transaction, timer, now + WHILE_BUSY)
            return True
        after = resumed(thread, at=now)
        if after is thread:
            await timers.move(transaction, timer, thread.manual_until)
        else:
            changes = [audited.mode_switched(thread, after)]
            await audit.append(transaction, SYSTEM, "manual_time_over", changes, at=now)
            await switch_over(
                transaction, timer.workspace_id, after, AiResumed(), author=INBOX, at=now
            )
    return True


async def next_due(database: Database) -> datetime | None:
    """When the next timer comes due."""
    async with database.begin() as transaction:
        return await timers.next_due(transaction)
