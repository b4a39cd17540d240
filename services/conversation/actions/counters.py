"""Counters: asked for, and compared with what they count."""

from __future__ import annotations

from chassis import metrics
from chassis.auth import Caller
from chassis.database import Database
from chassis.ids import WorkspaceId
from chassis.logs import log
from services.conversation.actions.changes import count, publish
from services.conversation.actions.means import Means
from services.conversation.model.counters import Counter, distance
from services.conversation.store import counters


async def get_counters(means: Means, caller: Caller) -> list[Counter]:
    """The workspace's counters; one that is not among them is zero."""
    async with means.database.read(caller.workspace) as reading:
        return await counters.every(reading)


async def check_counters(means: Means, worker: Database, workspace_id: WorkspaceId) -> int:
    """Compare the counters of a workspace with what they count; gives how far they were apart.

    That must be 0. Where it is not, somebody is told, and the difference is added: counters are
    sums, so this needs no lock on what it counts.
    """
    async with worker.begin(workspace_id) as transaction:
        missing = await counters.drift(transaction)
        apart = distance(missing)
        if missing:
            log.error(
                "counters_drifted",
                workspace_id=workspace_id,
                counter_count=len(missing),
                drift_conversations=apart,
            )
            await publish(means, transaction, await count(transaction, workspace_id, missing))
    metrics.COUNTERS_CHECKED.inc()
    metrics.COUNTER_DRIFT.inc(apart)
    return apart
