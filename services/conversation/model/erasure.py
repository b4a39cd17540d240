"""The erasure of a contact: asked for once, done step by step whatever stops meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chassis.ids import derived_id

THREADS, INBOX, ASSISTANT, STREAM = "threads", "inbox", "assistant", "stream"
STEPS = (THREADS, INBOX, ASSISTANT, STREAM)
"""In the order in which they are done; every one of them may be repeated."""
FIRST_PAUSE = timedelta(milliseconds=250)
LONGEST_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ErasedThread:
    """One conversation of the contact, and what messaging says of its end."""

    conversation_id: str
    last_seq: int = 0
    """The newest message that was erased."""
    log_epoch: str = ""
    """Empty until messaging is done with it."""
    gpos: int = 0
    """Messaging's log tells nothing of what was erased after this position."""

    @property
    def is_erased(self) -> bool:
        """Whether messaging is done with it."""
        return bool(self.log_epoch)


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure."""

    id: str
    contact_id: str
    threads: tuple[ErasedThread, ...]
    create_time: datetime
    done: Mapping[str, datetime] = field(default_factory=dict)
    """Which steps were done, and when."""
    failure_count: int = 0
    """Since it was asked for; what failed is tried again."""

    @property
    def conversation_ids(self) -> list[str]:
        """What is erased with the contact."""
        return [thread.conversation_id for thread in self.threads]

    @property
    def next_step(self) -> str | None:
        """What is to be done now; None at the end."""
        return next((step for step in STEPS if step not in self.done), None)

    @property
    def done_time(self) -> datetime | None:
        """When the last step was done; None while one is left."""
        return None if self.next_step else max(self.done.values())

    def request_id(self, step: str, about: str = "") -> str:
        """The same for every try of a step, so that neighbours know a repeat."""
        return derived_id("erasure", self.id, step, about)


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many tries of one step that were in vain."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(tries, 16), LONGEST_PAUSE)
    return pause
