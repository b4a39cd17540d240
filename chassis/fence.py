"""The fence: JetStream takes an event only at the sequence equal to its position.

Every publish says which last sequence it expects. From whomever an event comes, and however
often, it fits only behind the one before it; so two relays at once, or one that comes back from
the dead, cannot double, lose or reorder anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from nats.aio.msg import Msg

from chassis import ids
from chassis.bus import Bus
from chassis.events import Event
from chassis.messages import Outgoing

PLAIN_AT_MOST = 8
"""Up to so many events, single publishes under way together are faster than an atomic batch."""
ACK_WITHIN = timedelta(seconds=5)
EXPECTED_LAST_SEQUENCE = "Nats-Expected-Last-Sequence"


class Doubt(Exception):
    """A publish failed, or its outcome is unknown: look at the stream again."""


class NotOurStream(Exception):
    """The stream holds something else than this log; a person has to decide."""


class FenceBroken(NotOurStream):
    """JetStream took an event at another place than its own."""


class FencedWriter:
    """Writes runs of events into streams."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def write(self, events: Sequence[Event]) -> int:
        """Write events that follow each other; returns the stream's new last sequence.

        Raises: Doubt, FenceBroken, BusUnavailable.
        """
        if len(events) <= PLAIN_AT_MOST:
            return await self._publish_plainly(events)
        return await self._publish_batch(events)

    async def _publish_plainly(self, events: Sequence[Event]) -> int:
        """Single publishes, all under way at once; each fits only behind the one before it."""
        answers = await self._bus.ask(
            *[_message(event, self._fence(event.gpos - 1)) for event in events], within=ACK_WITHIN
        )
        for event, answer in zip(events, answers, strict=True):
            _check_ack(answer, event.gpos)
        return events[-1].gpos

    async def _publish_batch(self, events: Sequence[Event]) -> int:
        """One atomic batch: all of it at its place, or nothing."""
        batch_id, size = ids.new_id(), len(events)
        lines = [
            f"Nats-Batch-Id: {batch_id}\r\nNats-Batch-Sequence: {number}\r\n"
            for number in range(1, size + 1)
        ]
        lines[0] += self._fence(events[0].gpos - 1)
        lines[-1] += "Nats-Batch-Commit: 1\r\n"
        messages = [_message(event, line) for event, line in zip(events, lines, strict=True)]
        await self._bus.publish(*messages[:-1])
        (answer,) = await self._bus.ask(messages[-1], within=ACK_WITHIN)
        ack = _check_ack(answer, events[-1].gpos)
        if (ack.get("batch"), ack.get("count")) != (batch_id, size):
            raise FenceBroken(f"JetStream took {ack.get('count', 1)} of a batch of {size}")
        return events[-1].gpos

    def _fence(self, last_sequence: int) -> str:
        return f"{EXPECTED_LAST_SEQUENCE}: {last_sequence}\r\n"


def _message(event: Event, lines: str) -> Outgoing:
    return Outgoing(event.subject, event.payload, event.lines() + lines)


def _check_ack(answer: Msg | None, gpos: int) -> dict[str, Any]:
    """The acknowledgement of the event at `gpos`. Raises: Doubt, FenceBroken."""
    if answer is None:
        raise Doubt("no acknowledgement in time")
    try:
        ack: dict[str, Any] = json.loads(answer.data)
    except ValueError:
        raise Doubt("no acknowledgement of JetStream's") from None
    if "error" in ack:
        raise Doubt(str(ack["error"].get("description", "refused")))
    if ack.get("seq") != gpos:
        raise FenceBroken(f"JetStream took gpos {gpos} at sequence {ack.get('seq')}")
    return ack
