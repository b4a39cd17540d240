"""What the servicers work with, put together once by `__main__`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FieldInvalid
from chassis.rpc import Context
from services.messaging.actions.attachments import Files
from services.messaging.actions.web_chat import VisitorTokens
from services.messaging.actions.writers import Writers

SEND_WITHIN = timedelta(seconds=10)
"""For sends whose call has no deadline of its own: items of a stream."""


@dataclass(frozen=True, slots=True)
class Means:
    """The parts of one process."""

    app: Database
    worker: Database
    clock: Clock
    writers: Writers
    verify: Callable[[str], Awaitable[Caller]]
    """Who an access token stands for; cached."""
    visitor_tokens: VisitorTokens
    files: Files
    own_origins: tuple[str, ...]
    """Origins of our own pages, which may always show a chat box."""
    on_commit: Callable[[], None]
    """A quick wake-up of who publishes and dispatches."""
    on_switch: Callable[[], None]
    """The same after a switch of who answers: also of who lets the AI resume."""


def time_left(context: Context) -> timedelta:
    """How long the call's deadline leaves."""
    left = context.time_remaining()
    return SEND_WITHIN if left is None else timedelta(seconds=max(left, 0.0))


def not_negative(field: str, value: int) -> int:
    """A number from 0. Raises: FieldInvalid."""
    if value < 0:
        raise FieldInvalid(field=field, rule="must not be negative")
    return value


def history_range(before_seq: int, after_seq: int) -> None:
    """One end of a history at most. Raises: FieldInvalid."""
    not_negative("before_seq", before_seq)
    not_negative("after_seq", after_seq)
    if before_seq and after_seq:
        raise FieldInvalid(field="after_seq", rule="must not be given together with before_seq")
