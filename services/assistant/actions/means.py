"""What the actions work with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chassis import outbox, tracing
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.outbox import OutgoingEvent
from services.assistant.actions.ports import Contacts
from services.assistant.actions.vault import Vault
from services.assistant.model.settings import ProviderHosts


@dataclass(frozen=True, slots=True)
class Means:
    """What every action works with; `database` is of the role that fits the caller."""

    database: Database
    clock: Clock
    vault: Vault
    hosts: ProviderHosts
    contacts: Contacts
    wake_relay: Callable[[], None]
    """Called after a commit that wrote events."""

    async def publish(self, transaction: Transaction, events: Sequence[OutgoingEvent]) -> None:
        """Write events into the outbox of the transaction that caused them."""
        await outbox.append(
            transaction, events, at=self.clock.now(), traceparent=tracing.traceparent()
        )
        transaction.after_commit(self.wake_relay)
