"""Erasing what was said in a conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chassis import audit, erasing, outbox
from chassis.audit import Change
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import TemporarilyUnavailable
from chassis.sequencer import LogStand
from services.messaging import events
from services.messaging.actions.text_index import forget_texts
from services.messaging.store import erasing as store

ERASE = "ErasureService/EraseThread"


@dataclass(frozen=True, slots=True)
class ErasedThread:
    """How far the erasing of a thread has come."""

    last_seq: int
    """The newest seq that was erased; 0 where nothing ever was."""
    log: LogStand | None
    """As it stood once nothing was left in the log and its stream; None until then."""


async def erase_thread(
    worker: Database,
    clock: Clock,
    caller: Caller,
    conversation_id: str,
    *,
    request_id: str,
    on_commit: Callable[[], None],
) -> ErasedThread:
    """Erase a thread and everything under it, in one transaction; a repeat only says how far it is.

    It leaves alone what the customer wrote since then: another request may erase that.
    Events: ThreadErased, after which the thread may be opened anew.
    Raises: TemporarilyUnavailable, while a webhook of this customer is being processed.
    """
    at = clock.now()
    async with worker.begin(caller.workspace) as transaction:
        doomed = await store.lock(transaction, conversation_id)
        erased_by, _ = await store.erased_by(transaction, conversation_id)
        if doomed is not None and erased_by != request_id:
            if not await store.blank_webhooks(transaction, doomed, at=at):
                raise TemporarilyUnavailable(part="a webhook of the conversation")
            await forget_texts(transaction, [conversation_id])
            await store.remove(transaction, conversation_id, doomed, request_id=request_id)
            await audit.erase(transaction, "conversation", [conversation_id], at=at)
            await audit.erase(transaction, "message", doomed.message_ids, at=at)
            gone = Change("conversation", conversation_id, None, {"is_erased": True})
            await audit.append(transaction, caller, ERASE, [gone], at=at)
            await erasing.erase_events(transaction, [conversation_id])
            told = events.thread_erased(caller.workspace, conversation_id, doomed.last_seq)
            await outbox.append(transaction, [told], at=at)
            transaction.after_commit(on_commit)
    async with worker.begin(caller.workspace) as transaction:
        _, last_seq = await store.erased_by(transaction, conversation_id)
        log = await erasing.position_after(transaction, [conversation_id])
    return ErasedThread(last_seq, log)
