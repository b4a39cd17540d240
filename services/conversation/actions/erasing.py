"""Erasing a contact: a request that is kept, and steps that somebody carries out until the end.

Every step may be repeated, and tells by its answer whether it is done. So whatever stops in the
middle, a service, a database or the worker itself, the erasure goes on where it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis import audit, cursor, erasing, parking
from chassis.auth import Caller
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.conversation.actions import audited
from services.conversation.actions.forgetting import forget_contact, forget_conversations
from services.conversation.actions.means import Means
from services.conversation.model import erasure as steps
from services.conversation.model.erasure import ErasedThread, Erasure
from services.conversation.model.faults import ContactNotFound
from services.conversation.store import erasing as store
from services.conversation.store import erasures, known_contacts, requests

MAX_FORGOTTEN = 200
"""Conversations that the assistant forgets by one call."""


class Neighbours(Protocol):
    """Who else keeps something of a contact."""

    async def erase_thread(
        self, workspace_id: WorkspaceId, conversation_id: str, *, request_id: str
    ) -> ErasedThread:
        """Erase a thread; `is_erased` once nothing is left. Raises: TemporarilyUnavailable."""
        ...

    async def forget(
        self, workspace_id: WorkspaceId, threads: Sequence[ErasedThread], *, request_id: str
    ) -> None:
        """Have the AI forget conversations. Raises: TemporarilyUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class ErasingMeans:
    """What the steps work with."""

    means: Means
    worker: Database
    neighbours: Neighbours
    projection: str
    """The consumer that projects what messaging says."""


async def erase_contact(
    means: Means, caller: Caller, contact_id: str, *, request_id: str
) -> Erasure:
    """Have a contact erased with all its conversations; a repeat gives the erasure as it is now.

    Another request while one is under way gives that one.
    Raises: ContactNotFound, IdempotencyKeyReused.
    """
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        known = await known_contacts.find(transaction, contact_id)
        stands_for = known.id if known else contact_id
        running = await erasures.running_of(transaction, stands_for)
        erasure_id = running or new_id()
        repeated = await requests.remember(
            transaction, request_id, "EraseContact", contact_id, entity_id=erasure_id, at=at
        )
        if repeated is not None or running is not None:
            return await erasures.get(transaction, repeated or erasure_id)
        if known is None:
            raise ContactNotFound(contact_id)
        contact_id = known.id
        conversation_ids = await store.conversations_of(transaction, contact_id)
        erasure = Erasure(erasure_id, contact_id, tuple(map(ErasedThread, conversation_ids)), at)
        await erasures.add(transaction, erasure)
        kept = [audited.contact_erased(erasure)]
        await audit.append(transaction, caller, audited.ERASE_CONTACT, kept, at=at)
    return erasure


async def get_erasure(means: Means, caller: Caller, erasure_id: str) -> Erasure:
    """How far an erasure has come. Raises: ErasureNotFound."""
    async with means.database.read(caller.workspace) as reading:
        return await erasures.get(reading, erasure_id)


async def erase_threads(with_: ErasingMeans, workspace_id: WorkspaceId, erasure: Erasure) -> bool:
    """What was said: messaging erases thread by thread, and each is noted once it is gone."""
    is_done = True
    for thread in erasure.threads:
        if thread.is_erased:
            continue
        request_id = erasure.request_id(steps.THREADS, thread.conversation_id)
        erased = await with_.neighbours.erase_thread(
            workspace_id, thread.conversation_id, request_id=request_id
        )
        if erased.is_erased:
            async with with_.worker.begin(workspace_id) as transaction:
                await erasures.note_threads(transaction, erasure.id, [erased])
        else:
            is_done = False
    return is_done


async def erase_inbox(with_: ErasingMeans, workspace_id: WorkspaceId, erasure: Erasure) -> bool:
    """Conversations and contact here; the projection has mostly dropped them by then.

    Where it could not, because an event of the line was parked, the line is dropped up to the end
    of the thread, and what the end would have done is done here, under the consumer's lock.
    """
    reach = with_.means.reach_projection
    for thread in erasure.threads:
        if reach is not None and not await reach(thread.log_epoch, thread.gpos):
            return False
    for thread in erasure.threads:
        async with with_.worker.begin(workspace_id) as transaction:
            await cursor.load(transaction, with_.projection)
            await parking.forget_line(
                transaction,
                with_.projection,
                (workspace_id, thread.conversation_id),
                up_to_gpos=thread.gpos,
                now=with_.means.clock.now(),
            )
            await forget_conversations(with_.means, transaction, workspace_id, [thread])
    async with with_.worker.begin(workspace_id) as transaction:
        left = await store.conversations_of(transaction, erasure.contact_id)
        more = sorted(set(left) - set(erasure.conversation_ids))
        if more:
            await erasures.add_threads(transaction, erasure.id, more)
            return False
        await forget_contact(with_.means, transaction, workspace_id, erasure.contact_id)
    return True


async def erase_from_assistant(
    with_: ErasingMeans, workspace_id: WorkspaceId, erasure: Erasure
) -> bool:
    """What the AI collected and was about to say."""
    for start in range(0, len(erasure.threads), MAX_FORGOTTEN):
        await with_.neighbours.forget(
            workspace_id,
            erasure.threads[start : start + MAX_FORGOTTEN],
            request_id=erasure.request_id(steps.ASSISTANT, str(start)),
        )
    return True


async def erase_from_stream(
    with_: ErasingMeans, workspace_id: WorkspaceId, erasure: Erasure
) -> bool:
    """What conversation told: the log was overwritten with the entities, the stream follows."""
    keys = [erasure.contact_id, *erasure.conversation_ids]
    async with with_.worker.begin(workspace_id) as transaction:
        return await erasing.position_after(transaction, keys) is not None


Step = Callable[[ErasingMeans, WorkspaceId, Erasure], Awaitable[bool]]
CARRIED_OUT_BY: Mapping[str, Step] = {
    steps.THREADS: erase_threads,
    steps.INBOX: erase_inbox,
    steps.ASSISTANT: erase_from_assistant,
    steps.STREAM: erase_from_stream,
}
"""Each of the steps; it says whether it is done, or has to be asked again."""
