"""What tests of erasing speak: customers whose ids follow, and neighbours under the test's hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chassis import cursor
from chassis.auth import Role
from chassis.cursor import Cursor
from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId, derived_id, new_id
from inbox.messaging import v1 as messaging_v1
from services.conversation.actions.erasing import ErasingMeans, erase_contact, get_erasure
from services.conversation.actions.forgetting import forget_conversations
from services.conversation.eraser import Eraser
from services.conversation.model.erasure import ErasedThread, Erasure
from tests.fakes import FakeClock
from tests.service.conversation.desk import Customer, Desk, a_customer

LIFE = "first-life"
PROJECTION = "conversation-projection"


def a_real_customer(name: str) -> Customer:
    """One whose conversation has the id that messaging gives it."""
    customer = a_customer(name)
    thread = customer.thread
    conversation_id = derived_id("conversation", thread.channel_id, thread.external_id)
    customer.thread = replace(thread, conversation_id=conversation_id)
    return customer


@dataclass
class StagedNeighbours:
    """Messaging and assistant, as far as erasing asks them."""

    last_seqs: dict[str, int] = field(default_factory=dict)
    """Of the threads that messaging has, by conversation."""
    is_away: bool = False
    needs_asking: int = 0
    """How often a thread is not complete yet."""
    erased: dict[str, str] = field(default_factory=dict)
    """Conversation by the request that erased it."""
    forgotten: list[str] = field(default_factory=list)
    calls: int = 0

    async def erase_thread(
        self, workspace_id: WorkspaceId, conversation_id: str, *, request_id: str
    ) -> ErasedThread:
        self.calls += 1
        if self.is_away:
            raise TemporarilyUnavailable(part="messaging")
        self.erased[request_id] = conversation_id
        last_seq = self.last_seqs.get(conversation_id, 0)
        if self.needs_asking > 0:
            self.needs_asking -= 1
            return ErasedThread(conversation_id, last_seq)
        return ErasedThread(conversation_id, last_seq, LIFE, 7)

    async def forget(
        self, workspace_id: WorkspaceId, threads: Sequence[ErasedThread], *, request_id: str
    ) -> None:
        if self.is_away:
            raise TemporarilyUnavailable(part="assistant")
        assert all(thread.gpos == 7 for thread in threads)
        self.forgotten += [thread.conversation_id for thread in threads]

    async def messages(
        self, workspace_id: WorkspaceId, conversation_id: str, *, before_seq: int, size: int
    ) -> tuple[list[messaging_v1.Message], bool]:
        """As many as `last_seqs` says, newest first."""
        newest = min(before_seq - 1 if before_seq else 2**31, self.last_seqs[conversation_id])
        seqs = list(range(newest, 0, -1))
        page = [
            messaging_v1.Message(conversation_id=conversation_id, seq=seq, text=f"text {seq}")
            for seq in seqs[:size]
        ]
        return page, len(seqs) > size


class ErasingDesk:
    """A desk with an eraser whose clock is the test's."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock = FakeClock()
        self.neighbours = StagedNeighbours()
        self.means = replace(desk.means, clock=self.clock)
        self.with_ = ErasingMeans(self.means, desk.worker, self.neighbours, PROJECTION)
        self.owner = desk.caller(Role.OWNER)

    async def talks(self, customer: Customer, *texts: str) -> str:
        """A customer writes; messaging has it, and it is projected."""
        facts = [customer.writes(text) for text in texts]
        await self.desk.apply(*([customer.opens()] if customer.seq == len(texts) else []), *facts)
        self.neighbours.last_seqs[customer.conversation_id] = customer.seq
        return customer.conversation_id

    async def contact_of(self, customer: Customer) -> str:
        return (await self.desk.get(customer.conversation_id)).contact.id

    async def ask(self, contact_id: str, *, request_id: str = "") -> Erasure:
        return await erase_contact(
            self.means, self.owner, contact_id, request_id=request_id or new_id()
        )

    async def thread_erased(self, conversation_id: str, last_seq: int) -> None:
        """What the consumer does with messaging's event."""
        workspace_id = self.desk.workspace_id
        async with self.desk.worker.begin(workspace_id) as transaction:
            gone = ErasedThread(conversation_id, last_seq)
            await forget_conversations(self.means, transaction, workspace_id, [gone])

    async def work(self) -> None:
        """Let an eraser do what is due."""
        while await Eraser(self.with_).run_once():
            pass

    async def number_and_delete(self) -> None:
        """What relay and stream eraser do for everything that waits."""
        async with self.desk.worker.begin() as transaction:
            await transaction.raw.execute("DELETE FROM outbox")
            await transaction.raw.execute("DELETE FROM erased_events")

    async def state(self, erasure: Erasure) -> Erasure:
        return await get_erasure(self.means, self.owner, erasure.id)

    async def place_cursor(self) -> None:
        async with self.desk.worker.begin() as transaction:
            if await cursor.load(transaction, PROJECTION) is None:
                await cursor.replace(
                    transaction, PROJECTION, "INBOX_MESSAGING", before=None, after=Cursor(LIFE, 7)
                )
