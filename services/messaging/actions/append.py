"""Group commits: many drafts in one transaction.

Threads that this session wrote last are judged as it left them. What all workspaces have of such
drafts is written in one round trip, which compares the threads under their lock: most drafts end
there. What differs, or would be refused or repeated, is judged again with the rows locked and read,
one workspace a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chassis.errors import Fault
from chassis.events import Event
from chassis.ids import WorkspaceId, new_id
from chassis.outbox import OutgoingEvent
from services.messaging import events
from services.messaging.model.channel import ChannelState
from services.messaging.model.draft import (
    Draft,
    Opening,
    Stored,
    refuse_unless_acceptable,
    refuse_unless_repeat,
)
from services.messaging.model.faults import ConversationNotFound
from services.messaging.model.message import Message, MessageId, appended
from services.messaging.model.thread import ConversationId, Thread
from services.messaging.store.append import (
    Additions,
    AppendSession,
    LockedThread,
    RememberedBatch,
)

Outcome = Stored | Fault
"""What became of one draft."""


class ClientIdRaced(Exception):
    """Another transaction stored one of the client ids meanwhile: judge the batch again."""


class CommitLost(Exception):
    """PostgreSQL answered the commit by rolling back."""


@dataclass(frozen=True, slots=True)
class Run:
    """Drafts of one workspace, in order."""

    workspace_id: WorkspaceId
    drafts: Sequence[Draft]
    traceparents: Sequence[str]
    """One for each draft."""

    @property
    def has_content(self) -> bool:
        """It is written beside the message, in a transaction that is not one round trip."""
        return any(draft.has_content for draft in self.drafts)


@dataclass(slots=True)
class Batch:
    """What a batch has come to while its drafts are judged one by one."""

    workspace_id: WorkspaceId
    at: datetime
    threads: dict[ConversationId, Thread]
    states: dict[ConversationId, ChannelState]
    found: dict[str, Message]
    opened: set[ConversationId] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    renamed: set[ConversationId] = field(default_factory=set)
    events: list[OutgoingEvent] = field(default_factory=list)
    traceparents: list[str] = field(default_factory=list)

    def additions(self) -> Additions:
        """What it adds."""
        return Additions(
            workspace_id=self.workspace_id,
            messages=self.messages,
            channel_ids={key: thread.channel_id for key, thread in self.threads.items()},
            renamed=[self.threads[key] for key in self.renamed],
            events=self.events,
            traceparents=self.traceparents,
        )

    def left(self) -> list[LockedThread]:
        """The threads as its commit leaves them."""
        return [
            LockedThread(thread, self.states[key])
            for key, thread in self.threads.items()
            if key not in self.opened
        ]


async def append_remembered(
    session: AppendSession, runs: Sequence[Run], *, at: datetime
) -> tuple[list[list[Outcome] | None], list[Event]]:
    """Store runs of different workspaces on threads as this session left them.

    The outcomes of each run, or None where nothing of it was stored and it is for `append_run`;
    and the events, if they were numbered at once.
    Raises: whatever the database raises; then see `append_run`.
    """
    judged = [_judge_remembered(session, run, at=at) for run in runs]
    batches = [RememberedBatch(batch.additions(), seen) for batch, seen, _ in filter(None, judged)]
    unchanged, told = (
        await session.append_each_if_unchanged(batches, at=at) if batches else ([], [])
    )
    done = iter(unchanged)
    results: list[list[Outcome] | None] = []
    for run, known in zip(runs, judged, strict=True):
        if known is not None and next(done):
            batch, _, outcomes = known
            session.remembered.keep(run.workspace_id, batch.left())
            results.append(outcomes)
        else:
            wanted = {draft.conversation_id for draft in run.drafts}
            session.remembered.forget(run.workspace_id, wanted)
            results.append(None)
    return results, told


async def append_run(session: AppendSession, run: Run, *, at: datetime) -> list[Outcome]:
    """Store what may be stored; one outcome for each draft, in order.

    Threads are locked first, in the order of ids; only then are client ids looked up, so a repeat
    on the same thread always finds its original. Drafts are judged one by one: one that is refused
    does not touch its neighbours. A customer's first message opens its thread.
    Raises: ClientIdRaced, CommitLost, and whatever the database raises; then nothing happened,
    or, if the connection broke in the commit, nobody knows: the same drafts may be given again.
    """
    await session.begin(run.workspace_id)
    batch = await _prepare(session, run.workspace_id, run.drafts, at=at)
    outcomes = _judge_all(batch, run)
    if not batch.messages:
        await session.rollback()
        return outcomes
    if batch.opened:
        # Opened for a message that was then refused: a thread begins with its first message.
        await session.unopen_threads(run.workspace_id, sorted(batch.opened))
    stored = await session.append(run.workspace_id, batch.additions(), at=at)
    if stored != len(batch.messages):
        await session.rollback()
        raise ClientIdRaced
    if not await session.commit():
        raise CommitLost
    session.remembered.keep(run.workspace_id, batch.left())
    return outcomes


def _judge_remembered(
    session: AppendSession, run: Run, *, at: datetime
) -> tuple[Batch, list[LockedThread], list[Outcome]] | None:
    """What a run comes to on its threads as they were left; None unless all of it is stored.

    Nobody is refused because of what is only remembered.
    """
    wanted = {draft.conversation_id for draft in run.drafts}
    seen = session.remembered.recall(run.workspace_id, wanted)
    if seen is None or run.has_content:
        return None
    batch = Batch(
        workspace_id=run.workspace_id,
        at=at,
        threads={key: entry.thread for key, entry in seen.items()},
        states={key: entry.channel_state for key, entry in seen.items()},
        found={},
    )
    outcomes = _judge_all(batch, run)
    if batch.renamed or not all(isinstance(outcome, Stored) for outcome in outcomes):
        return None
    return batch, list(seen.values()), outcomes


async def _prepare(
    session: AppendSession, workspace_id: WorkspaceId, drafts: Sequence[Draft], *, at: datetime
) -> Batch:
    wanted = sorted({draft.conversation_id for draft in drafts})
    locked = await session.lock_threads(workspace_id, wanted)
    opened: set[ConversationId] = set()
    openings = _missing(locked.keys(), drafts)
    if openings:
        fresh = await session.open_threads(workspace_id, sorted(openings.items()), at=at)
        opened = {thread.conversation_id for thread in fresh}
        # Those that another transaction opened at the same moment are committed by now.
        locked = await session.lock_threads(workspace_id, wanted)
    found = await session.find_messages(workspace_id, [draft.client_message_id for draft in drafts])
    return Batch(
        workspace_id=workspace_id,
        at=at,
        threads={key: entry.thread for key, entry in locked.items()},
        states={key: entry.channel_state for key, entry in locked.items()},
        found=found,
        opened=opened,
    )


def _missing(
    locked: Iterable[ConversationId], drafts: Sequence[Draft]
) -> dict[ConversationId, Opening]:
    known = set(locked)
    openings: dict[ConversationId, Opening] = {}
    for draft in drafts:
        if draft.opening is not None and draft.conversation_id not in known:
            openings.setdefault(draft.conversation_id, draft.opening)
    return openings


def _judge_all(batch: Batch, run: Run) -> list[Outcome]:
    return [
        _judge(batch, draft, traceparent)
        for draft, traceparent in zip(run.drafts, run.traceparents, strict=True)
    ]


def _judge(batch: Batch, draft: Draft, traceparent: str) -> Outcome:
    try:
        original = batch.found.get(draft.client_message_id)
        if original is not None:
            refuse_unless_repeat(original, draft)
            return Stored(original, replayed=True)
        thread = batch.threads.get(draft.conversation_id)
        if thread is None:
            return ConversationNotFound(conversation_id=draft.conversation_id)
        refuse_unless_acceptable(draft, thread, batch.states[draft.conversation_id])
    except Fault as fault:
        return fault
    message = _append(batch, thread, draft, traceparent)
    return Stored(message, replayed=False)


def _append(batch: Batch, thread: Thread, draft: Draft, traceparent: str) -> Message:
    if thread.conversation_id in batch.opened:
        batch.opened.discard(thread.conversation_id)
        batch.events.append(events.thread_opened(batch.workspace_id, thread))
        batch.traceparents.append(traceparent)
    if draft.opening is not None:
        name = draft.opening.customer_name
        if name and name != thread.customer_name:
            thread = replace(thread, customer_name=name)
            batch.renamed.add(thread.conversation_id)
    grown, message = appended(
        thread,
        message_id=MessageId(new_id()),
        client_message_id=draft.client_message_id,
        author=draft.author,
        text=draft.text,
        at=batch.at,
        platform_time=draft.platform_time,
        attachments=draft.attachments,
        special=draft.special,
    )
    batch.threads[grown.conversation_id] = grown
    batch.found[message.client_message_id] = message
    batch.messages.append(message)
    batch.events.append(events.message_created(batch.workspace_id, message, grown))
    batch.traceparents.append(traceparent)
    return message
