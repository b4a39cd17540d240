"""What the actions work with, wired by hand at start."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis import outbox, tracing
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.outbox import OutgoingEvent
from chassis.secrets import MasterKeys
from services.identity.actions.signing_keys import SigningKeys
from services.identity.passwords import Passwords


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside, as far as actions see it."""

    app: Database
    """Serves requests of a known workspace."""
    worker: Database
    """Looks credentials up before the workspace is known."""
    clock: Clock
    passwords: Passwords
    signing_keys: SigningKeys
    master_keys: MasterKeys
    is_service_key: Callable[[str], bool]
    wake_relay: Callable[[], None]
    public_url: str

    async def publish(
        self, transaction: Transaction, events: Sequence[OutgoingEvent], at: datetime
    ) -> None:
        """Store events with the change they tell of."""
        await outbox.append(transaction, events, at=at, traceparent=tracing.traceparent())
        transaction.after_commit(self.wake_relay)


def request_digest(*parts: object) -> bytes:
    """What a request said, to tell its repeat from another request with the same id."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
