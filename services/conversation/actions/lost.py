"""Conversations that messaging lost."""

from __future__ import annotations

from chassis.database import Database
from chassis.ids import WorkspaceId
from services.conversation.actions.changes import follow
from services.conversation.actions.means import Means
from services.conversation.model import folders
from services.conversation.model.authors import SYSTEM
from services.conversation.model.conversation import Folder
from services.conversation.model.counters import Movement
from services.conversation.store import conversations
from services.conversation.store.workspaces import known_workspaces

MAX_LOST = 200
"""Solved in one transaction."""


async def solve_lost(means: Means, worker: Database, log_epoch: str) -> None:
    """After a rebuild: solve open conversations whose threads messaging does not have any more.

    That happens when its database was restored from a backup older than the thread. Nobody can
    answer there; a customer who writes again gets a new conversation. A repeat changes nothing.
    """
    for workspace_id in await known_workspaces(worker):
        while await _solve_some_lost(means, worker, workspace_id, log_epoch):
            pass


async def _solve_some_lost(
    means: Means, worker: Database, workspace_id: WorkspaceId, log_epoch: str
) -> bool:
    async with worker.begin(workspace_id) as transaction:
        lost = await conversations.open_of_other_lives(transaction, log_epoch, MAX_LOST)
        before = await conversations.lock_many(transaction, lost)
        solved = [
            Movement(conversation, folders.move(conversation, Folder.SOLVED))
            for conversation in before.values()
        ]
        await conversations.save(transaction, [movement.after for movement in solved])
        await follow(means, transaction, workspace_id, solved, SYSTEM)
    return bool(lost)
