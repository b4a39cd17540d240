"""The fence: JetStream takes an event only at the sequence equal to its position.

Every publish says which last sequence it expects. From whomever an event comes, and however
often, it fits only behind the one before it; so two relays at once, or one that comes back from
the dead, cannot double, lose or reorder anything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from nats.aio.msg import Msg

from chassis import ids
from chassis.bus import Bus, BusUnavailable
from chassis.events import Event

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
        async with asyncio.TaskGroup() as group:
            acks = [
                group.create_task(self._publish(event, self._fence(event.gpos - 1)))
                for event in events
            ]
        for event, ack in zip(events, acks, strict=True):
            _check_ack(ack.result(), event.gpos)
        return events[-1].gpos

    async def _publish_batch(self, events: Sequence[Event]) -> int:
        """One atomic batch: all of it at its place, or nothing."""
        batch_id = ids.new_id()
        commit = len(events)
        for number, event in enumerate(events, start=1):
            headers = {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
            if number == 1:
                headers |= self._fence(event.gpos - 1)
            if number < commit:
                await self._bus.publish(event.subject, event.payload, event.headers() | headers)
        headers["Nats-Batch-Commit"] = "1"
        ack = _check_ack(await self._publish(events[-1], headers), events[-1].gpos)
        if (ack.get("batch"), ack.get("count")) != (batch_id, commit):
            raise FenceBroken(f"JetStream took {ack.get('count', 1)} of a batch of {commit}")
        return events[-1].gpos

    async def _publish(self, event: Event, headers: dict[str, str]) -> Msg | BusUnavailable:
        try:
            return await self._bus.request(
                event.subject, event.payload, event.headers() | headers, within=ACK_WITHIN
            )
        except BusUnavailable as away:
            return away

    def _fence(self, last_sequence: int) -> dict[str, str]:
        return {EXPECTED_LAST_SEQUENCE: str(last_sequence)}


def _check_ack(answer: Msg | BusUnavailable, gpos: int) -> dict[str, Any]:
    """The acknowledgement of the event at `gpos`. Raises: Doubt, FenceBroken."""
    if isinstance(answer, BusUnavailable):
        raise Doubt(answer.detail)
    try:
        ack: dict[str, Any] = json.loads(answer.data)
    except ValueError:
        raise Doubt("no acknowledgement of JetStream's") from None
    if "error" in ack:
        raise Doubt(str(ack["error"].get("description", "refused")))
    if ack.get("seq") != gpos:
        raise FenceBroken(f"JetStream took gpos {gpos} at sequence {ack.get('seq')}")
    return ack
