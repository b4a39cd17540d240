"""The worker: leases duties that are due, has them answered, and sees to it that nothing is said
that is not wanted any more.

Any number of processes may run one. While a provider writes, the lease is renewed and the duty is
looked at, so a newer message, a person who takes over, or silence ends the turn within moments.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from chassis import metrics
from chassis.clock import Clock
from chassis.database import DatabaseUnavailable
from chassis.errors import TemporarilyUnavailable
from chassis.ids import new_id
from chassis.logs import log
from services.assistant.actions import turns as actions
from services.assistant.actions.deciding import decision_of, question_of
from services.assistant.actions.means import Means
from services.assistant.actions.ports import Audience, Messaging, NotOurs, NotTaken, Place
from services.assistant.actions.toolbox import TurnToolbox
from services.assistant.actions.turns import LeaseLost, Taken
from services.assistant.model import phrases
from services.assistant.model.turns import (
    MAX_FIELDS_HANDED,
    MAX_TRIES,
    Duty,
    Handover,
    HandoverReason,
    Mode,
    Outcome,
    Turn,
    why_stop,
)
from services.assistant.providers.port import (
    Answer,
    ProviderChoice,
    ProviderFailed,
    ProviderSlow,
    Question,
)
from services.assistant.store import duties, turns
from services.assistant.store.duties import Lease

SLOTS = 16
POLL = timedelta(milliseconds=250)
LEASE = timedelta(seconds=15)
LOOK_EVERY = timedelta(milliseconds=250)
TELL_EVERY = timedelta(seconds=3)
"""Realtime lets the sign fade after 10."""
PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
ON_ITS_WAY_WITHIN = timedelta(seconds=3)
DRAIN_WITHIN = timedelta(seconds=3)
TRIED_IN_VAIN = "The assistant tried several times and could not answer."

Hook = Callable[[str], Awaitable[None]]
"""Called between the steps of a turn; tests stop a worker there."""


async def _no_hook(_: str) -> None:
    """Nothing waits between the steps."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whom the worker calls."""

    messaging: Messaging
    audience: Audience
    providers: ProviderChoice


class Answering:
    """One worker. `run` owns its tasks."""

    def __init__(
        self,
        means: Means,
        neighbours: Neighbours,
        clock: Clock,
        *,
        lease_clock: Clock | None = None,
        slots: int = SLOTS,
        hook: Hook = _no_hook,
    ) -> None:
        """`means` are those of the worker role. Leases are compared by the database's clock,
        unless a test gives the clock it owns.
        """
        self._means = means
        self._messaging = neighbours.messaging
        self._audience = neighbours.audience
        self._providers = neighbours.providers
        self._clock = clock
        self._lease_clock = lease_clock
        self._slots = slots
        self._hook = hook
        self._owner = new_id()
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; then let what is being carried out come to its end, for a while."""
        async with asyncio.TaskGroup() as group:
            working: set[asyncio.Task[None]] = set()
            try:
                while True:
                    self._freed.clear()
                    leases = await self._lease_due(self._slots - len(working))
                    for lease in leases:
                        task = group.create_task(self._work_safely(lease))
                        working.add(task)
                        task.add_done_callback(working.discard)
                        task.add_done_callback(lambda _: self._freed.set())
                    if not leases or len(working) >= self._slots:
                        await self._rest()
            except asyncio.CancelledError:
                if working:
                    await asyncio.wait(working, timeout=DRAIN_WITHIN.total_seconds())
                raise

    async def run_once(self) -> int:
        """Lease what is due now and work on it to the end; how many duties that were."""
        leases = await self._lease(self._slots)
        async with asyncio.TaskGroup() as group:
            for lease in leases:
                group.create_task(self._work(lease))
        return len(leases)

    async def _rest(self) -> None:
        # Spreading load is no secret.
        seconds = POLL.total_seconds() * random.uniform(0.5, 1.0)  # noqa: S311
        with suppress(TimeoutError):
            await asyncio.wait_for(self._freed.wait(), seconds)

    async def _lease_due(self, limit: int) -> list[Lease]:
        if limit <= 0:
            return []
        try:
            return await self._lease(limit)
        except DatabaseUnavailable:
            log.warning("turns_wait_for_database")
            return []

    async def _lease(self, limit: int) -> list[Lease]:
        at = self._lease_clock.now() if self._lease_clock is not None else None
        async with self._means.database.begin() as transaction:
            return await duties.lease_due(
                transaction, limit=limit, owner=self._owner, span=LEASE, at=at
            )

    async def _work_safely(self, lease: Lease) -> None:
        """A turn that fails is left to its lease: nobody else is in its way."""
        try:
            await self._work(lease)
        except DatabaseUnavailable:
            log.warning("turn_waits_for_database", conversation_id=lease.conversation_id)
        except Exception as error:  # noqa: BLE001 - one turn must not stop the others
            metrics.TURN_FAILURES.inc()
            log.error("turn_failed", conversation_id=lease.conversation_id, exc_info=error)

    async def _work(self, lease: Lease) -> None:
        await self._hook("leased")
        try:
            taken = await actions.take_up(self._means, lease)
            if taken is None:
                return
            try:
                await self._turn(lease, taken)
            except TemporarilyUnavailable as away:
                log.warning("turn_deferred", conversation_id=lease.conversation_id, part=away.part)
                await self._defer(lease, taken.duty)
        except LeaseLost:
            log.info("turn_lost", conversation_id=lease.conversation_id)

    async def _turn(self, lease: Lease, taken: Taken) -> None:
        place = Place(lease.workspace_id, lease.conversation_id, taken.settings.display_name)
        turn = taken.decided
        if turn is None:
            turn = await self._decided(lease, taken, place)
        if turn is not None and turn.decision is not None:
            await self._hook("decided")
            turn = await self._carry_out(place, turn)
            await self._hook("carried_out")
            turn = await actions.close(self._means, lease, turn)
        if taken.decided is None:
            # After what was said is there; where this is not reached, the sign fades by itself.
            await self._audience.tell(place, is_writing=False)
        if turn is not None and turn.outcome is not None:
            metrics.TURNS.labels(turn.provider.value, turn.outcome.value).inc()
            log.info(
                "turn_ended",
                conversation_id=lease.conversation_id,
                number=turn.number,
                outcome=turn.outcome.value,
            )

    async def _decided(self, lease: Lease, taken: Taken, place: Place) -> Turn | None:
        """The turn with what is to be said, or closed; None where there is nothing to do."""
        try:
            history = await self._messaging.read(place, taken.settings.context_size)
        except NotTaken:
            await actions.give_up(self._means, lease, taken.duty.inbound_count)
            return None
        if history.mode is not Mode.AI:
            await actions.learn_mode(self._means, lease, history.mode, history.mode_epoch)
            return None
        question = question_of(taken, history)
        if not question.unanswered:
            # What the duty told of was there to be read; what came since may be a question.
            known = max(history.seen_ordinal, taken.duty.inbound_count)
            await actions.give_up(self._means, lease, known)
            return None
        turn = Turn(
            id=new_id(),
            conversation_id=place.conversation_id,
            number=taken.duty.turn_number,
            seen_ordinal=history.seen_ordinal,
            mode_epoch=history.mode_epoch,
            provider=taken.settings.provider,
            start_time=self._clock.now(),
        )
        await self._hook("read")
        toolbox = TurnToolbox(self._means, place, question)
        began = self._clock.monotonic()
        answering = self._answer(taken, question, toolbox)
        answer = await self._while_wanted(lease, place, turn, answering)
        millis = round((self._clock.monotonic() - began) * 1000)
        metrics.TURN_SECONDS.labels(turn.provider.value).observe(millis / 1000)
        usage = answer.usage if isinstance(answer, Answer) else turn.usage
        turn = replace(
            turn,
            usage=replace(usage, provider_millis=millis),
            tool_calls=tuple(toolbox.calls),
            article_ids=toolbox.article_ids,
        )
        if isinstance(answer, Outcome):
            return await actions.close(self._means, lease, replace(turn, outcome=answer))
        await self._hook("written")
        return await actions.decide(self._means, lease, turn, decision_of(question, answer))

    async def _answer(self, taken: Taken, question: Question, toolbox: TurnToolbox) -> Answer:
        """What the rules or the provider say; a provider's failure is a handover."""
        if phrases.wants_person(question.text):
            return Answer(handover=Handover(HandoverReason.CUSTOMER_ASKED))
        if taken.duty.try_count > MAX_TRIES:
            return Answer(handover=Handover(HandoverReason.PROVIDER_FAILED, TRIED_IN_VAIN))
        try:
            provider = await self._providers.of(question.settings)
            async with asyncio.timeout(question.settings.answer_within.total_seconds()):
                return await provider.answer(question, toolbox)
        except (TimeoutError, ProviderSlow):
            return Answer(handover=Handover(HandoverReason.PROVIDER_SLOW))
        except ProviderFailed as failed:
            log.warning(
                "provider_failed", conversation_id=question.conversation_id, why=str(failed)
            )
            return Answer(handover=Handover(HandoverReason.PROVIDER_FAILED))

    async def _while_wanted(
        self, lease: Lease, place: Place, turn: Turn, answering: Awaitable[Answer]
    ) -> Answer | Outcome:
        """The answer, or what ended the turn before there was one.

        Raises: LeaseLost, TemporarilyUnavailable.
        """
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(_or_away(answering))
            watch = group.create_task(self._watch(lease, turn))
            tell = group.create_task(self._tell(place))
            try:
                await asyncio.wait({answer, watch}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (answer, watch, tell):
                    task.cancel()
        if not answer.cancelled():
            return _unless_away(answer.result())
        outcome = watch.result()
        if outcome is None:
            raise LeaseLost
        return outcome

    async def _watch(self, lease: Lease, turn: Turn) -> Outcome | None:
        """Wait until something ends the turn; None for a lost lease."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            with suppress(DatabaseUnavailable):
                duty = await self._renew(lease)
                if duty is None:
                    return None
                outcome = why_stop(duty, turn)
                if outcome is not None:
                    return outcome

    async def _tell(self, place: Place) -> None:
        while True:
            await self._audience.tell(place, is_writing=True)
            await self._clock.sleep(TELL_EVERY)

    async def _carry_out(self, place: Place, turn: Turn) -> Turn:
        """Do what was decided; every step may be a repeat. Raises: TemporarilyUnavailable."""
        decision, message_id = turn.decision, turn.message_id
        assert decision is not None  # noqa: S101 - the caller made sure
        try:
            if decision.text:
                try:
                    message_id = await self._messaging.send(
                        place,
                        client_message_id=turn.client_message_id,
                        text=decision.text,
                        mode_epoch=turn.mode_epoch,
                    )
                except NotTaken:
                    if decision.handover is None:
                        raise
            if decision.handover is not None:
                await self._hook("told")
                await self._hand_over(place, turn, decision.handover, message_id)
        except NotOurs:
            return replace(turn, outcome=Outcome.TAKEN_OVER, message_id=message_id)
        except NotTaken:
            return replace(turn, outcome=Outcome.REFUSED, message_id=message_id)
        outcome = Outcome.REPLIED if decision.handover is None else Outcome.HANDED_OVER
        return replace(turn, outcome=outcome, message_id=message_id)

    async def _hand_over(
        self, place: Place, turn: Turn, handover: Handover, message_id: str
    ) -> None:
        if message_id:
            # The switch to manual mode withdraws what still waits for its dispatch.
            deadline = self._clock.monotonic() + ON_ITS_WAY_WITHIN.total_seconds()
            while not await self._messaging.is_on_its_way(place, message_id):
                if self._clock.monotonic() >= deadline:
                    break
                await self._clock.sleep(LOOK_EVERY)
        async with self._means.database.begin(place.workspace_id) as transaction:
            fields = await turns.read_fields(
                transaction, place.conversation_id, at_most=MAX_FIELDS_HANDED
            )
        await self._messaging.hand_over(
            place,
            request_id=turn.handover_request_id,
            mode_epoch=turn.mode_epoch,
            handover=handover,
            fields=fields,
        )

    async def _renew(self, lease: Lease) -> Duty | None:
        at = self._lease_clock.now() if self._lease_clock is not None else None
        async with self._means.database.begin(lease.workspace_id) as transaction:
            return await duties.renew(transaction, lease, span=LEASE, at=at)

    async def _defer(self, lease: Lease, duty: Duty) -> None:
        at = self._lease_clock.now() if self._lease_clock is not None else None
        pause = min(PAUSE * 2 ** min(duty.try_count, 10), LONGEST_PAUSE)
        async with self._means.database.begin(lease.workspace_id) as transaction:
            # A neighbour's absence, however long, is no failure that a person is called for.
            await duties.defer(transaction, lease, pause=pause, most_tries=MAX_TRIES - 1, at=at)


async def _or_away(answering: Awaitable[Answer]) -> Answer | TemporarilyUnavailable:
    """As a value: raised, it would come out of the group in another shape."""
    try:
        return await answering
    except TemporarilyUnavailable as away:
        return away


def _unless_away(answer: Answer | TemporarilyUnavailable) -> Answer:
    if isinstance(answer, TemporarilyUnavailable):
        raise answer
    return answer
