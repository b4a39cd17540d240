"""Carries erasures out: leases one, does its steps in order, and comes back to what is not done."""

from __future__ import annotations

from datetime import timedelta

from chassis.errors import Unavailable
from chassis.logs import log
from services.conversation.actions.erasing import CARRIED_OUT_BY, ErasingMeans
from services.conversation.model.erasure import Erasure, pause_after
from services.conversation.store import erasures
from services.conversation.store.erasures import Lease

LEASE = timedelta(seconds=30)
"""Whoever dies with it is followed by another after that. A step that takes longer is done twice at
once, which is as good as once."""
POLL = timedelta(milliseconds=250)


class Eraser:
    """One of any number."""

    def __init__(self, with_: ErasingMeans) -> None:
        self._with = with_
        self._clock = with_.means.clock

    async def run(self) -> None:
        """Work for ever; a supervisor calls it again."""
        while True:
            if not await self.run_once():
                await self._clock.sleep(POLL)

    async def run_once(self) -> bool:
        """Take one erasure as far as it goes now; False when none is due."""
        async with self._with.worker.begin() as transaction:
            lease = await erasures.lease(transaction, self._clock.now(), LEASE)
        if lease is None:
            return False
        while True:
            async with self._with.worker.begin(lease.workspace_id) as transaction:
                erasure = await erasures.get(transaction, lease.erasure_id)
            if erasure.next_step is None or not await self._step(lease, erasure):
                return True

    async def _step(self, lease: Lease, erasure: Erasure) -> bool:
        """Try the next step; whether it is done."""
        step, has_failed = erasure.next_step, False
        assert step is not None  # noqa: S101 - the caller made sure
        try:
            is_done = await CARRIED_OUT_BY[step](self._with, lease.workspace_id, erasure)
        except Unavailable as away:
            log.warning("erasure_waits", erasure_id=erasure.id, step=step, reason=away.reason)
            is_done, has_failed = False, True
        now = self._clock.now()
        async with self._with.worker.begin(lease.workspace_id) as transaction:
            if not is_done:
                again = now + pause_after(lease.try_count)
                await erasures.put_off(transaction, lease, again, has_failed=has_failed)
                return False
            is_last = len(erasure.done) + 1 == len(CARRIED_OUT_BY)
            await erasures.note_done(
                transaction, lease, step, at=now, is_last=is_last, leased_until=now + LEASE
            )
        log.info("erasure_step_done", erasure_id=erasure.id, step=step)
        return True
