"""Compares counters with what they count, and removes what deleted tags have left."""

from __future__ import annotations

import random
from datetime import timedelta

from chassis.database import Database
from services.conversation.actions.counters import check_counters
from services.conversation.actions.means import Means
from services.conversation.actions.tags import forget_deleted
from services.conversation.store.workspaces import known_workspaces

EVERY = timedelta(minutes=5)


async def sweep_for_ever(means: Means, worker: Database) -> None:
    """One workspace at a time, chosen by lot, so that replicas need not agree on anything."""
    while True:
        workspaces = await known_workspaces(worker)
        if workspaces:
            workspace_id = random.choice(workspaces)  # noqa: S311 - a sample, no secret
            await check_counters(means, worker, workspace_id)
            await forget_deleted(worker, workspace_id)
        await means.clock.sleep(EVERY)
