"""What has ended long ago is forgotten."""

from __future__ import annotations

from datetime import timedelta

from services.identity.actions.ports import Ports
from services.identity.model.credentials import ENDED_KEPT_FOR
from services.identity.model.tickets import USED_KEPT_FOR
from services.identity.store import credentials as store
from services.identity.store import tickets

SWEEP_EVERY = timedelta(hours=1)


async def keep_swept(ports: Ports) -> None:
    """Sweep for ever."""
    while True:
        await sweep(ports)
        await ports.clock.sleep(SWEEP_EVERY)


async def sweep(ports: Ports) -> None:
    """Delete sessions, links and keys that nobody can use or ask about any more."""
    now = ports.clock.now()
    async with ports.worker.begin() as transaction:
        await store.sweep(transaction, now=now, ended_before=now - ENDED_KEPT_FOR)
        await tickets.forget(transaction, before=now - USED_KEPT_FOR)
