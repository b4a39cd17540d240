"""Compares counters with what they count, removes what deleted tags have left, indexes names."""

from __future__ import annotations

import random
from datetime import timedelta

from chassis.database import Database
from services.conversation.actions.contact_search import index_names
from services.conversation.actions.counters import check_counters
from services.conversation.actions.means import Means
from services.conversation.actions.tags import forget_deleted
from services.conversation.store.workspaces import known_workspaces

EVERY = timedelta(minutes=5)


async def sweep_for_ever(means: Means, worker: Database) -> None:
    """One workspace at a time, chosen by lot, so that replicas need not agree on anything.

    Names come first, of every workspace: after an upgrade people look for contacts at once.
    """
    for workspace_id in await known_workspaces(worker):
        await index_names(worker, workspace_id)
    while True:
        workspaces = await known_workspaces(worker)
        if workspaces:
            workspace_id = random.choice(workspaces)  # noqa: S311 - a sample, no secret
            await check_counters(means, worker, workspace_id)
            await forget_deleted(worker, workspace_id)
            await index_names(worker, workspace_id)
        await means.clock.sleep(EVERY)
