"""One owner's stream in JetStream: made, looked at and read. Its sequences are the log's positions.

JetStream is a copy that can be made again from Postgres at any time, so nobody keeps state in it:
reading asks for the messages from a sequence on, by one request, and needs no consumer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nats.aio.msg import Msg

from chassis.bus import REQUEST_WITHIN, Bus, BusUnavailable
from chassis.events import Event, NotAnEvent, domain_of, event_of
from chassis.messages import Outgoing

KEPT_FOR = timedelta(days=7)
EPOCH = "inbox.log_epoch"
"""Metadata of the stream: the life of the database whose log it holds."""
STREAM_NOT_FOUND = 10059
STREAM_EXISTS = (10058, 10065)
"""Another relay made it with another first sequence, or a stream with these subjects exists."""
MAX_READ = 500
MAX_READ_BYTES = 4 * 2**20
MESSAGE_NOT_FOUND = (10037, 10043)
"""It was erased before, or has grown older than messages are kept."""
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a stream says of itself."""

    first_seq: int
    last_seq: int
    log_epoch: str
    has_atomic_batches: bool
    created: str
    """When it was made: another time means another stream of the same name."""


class StreamRefused(Exception):
    """JetStream answered with an error."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


class EventStream:
    """The stream of one owner, `INBOX_MESSAGING`."""

    def __init__(self, bus: Bus, name: str, *, replicas: int = 1) -> None:
        """`replicas` is the number of NATS servers that keep it."""
        self._bus = bus
        self.name = name
        self.domain = domain_of(name)
        self._replicas = replicas

    async def state(self) -> StreamState | None:
        """How it stands; None when there is none. Raises: BusUnavailable, StreamRefused."""
        try:
            return _state(await self._ask("STREAM.INFO"))
        except StreamRefused as refused:
            if refused.code == STREAM_NOT_FOUND:
                return None
            raise

    async def create(self, *, log_epoch: str, first_seq: int) -> StreamState:
        """Make it, empty, its next sequence being `first_seq`.

        Somebody else's being faster is no error: the state tells whose it is.
        Raises: BusUnavailable, StreamRefused.
        """
        config = {
            "name": self.name,
            "subjects": [f"inbox.{self.domain}.>"],
            "retention": "limits",
            "discard": "old",
            "storage": "file",
            "num_replicas": self._replicas,
            "max_age": int(KEPT_FOR.total_seconds()) * NANOSECONDS,
            "first_seq": first_seq,
            "allow_atomic": True,
            "allow_direct": True,
            "deny_purge": True,
            "deny_delete": False,
            "metadata": {EPOCH: log_epoch},
        }
        try:
            return _state(await self._ask("STREAM.CREATE", config))
        except StreamRefused as refused:
            made = await self.state() if refused.code in STREAM_EXISTS else None
            if made is None:
                raise
            return made

    async def delete(self) -> None:
        """Remove it with everything in it; the relay makes it again from Postgres."""
        try:
            await self._ask("STREAM.DELETE")
        except StreamRefused as refused:
            if refused.code != STREAM_NOT_FOUND:
                raise

    async def read(
        self,
        from_seq: int,
        *,
        count: int = MAX_READ,
        subject: str | None = None,
        within: timedelta = REQUEST_WITHIN,
    ) -> list[Event]:
        """The events from a sequence on; fewer, none, or later ones when some are not there.

        Only those of a subject, which may have wildcards, if one is given.
        Raises: BusUnavailable, NotAnEvent when something else stands there.
        """
        request: dict[str, Any] = {"seq": from_seq, "batch": count, "max_bytes": MAX_READ_BYTES}
        if subject is not None:
            request["next_by_subj"] = subject
        answers, _ = await self._bus.collect(
            Outgoing(f"$JS.API.DIRECT.GET.{self.name}", json.dumps(request).encode()),
            within=within,
        )
        return _events_in(answers)

    async def erase(self, seq: int) -> None:
        """Overwrite one message with random bytes and drop it; a repeat finds nothing to erase.

        Raises: BusUnavailable, StreamRefused.
        """
        try:
            await self._ask("STREAM.MSG.DELETE", {"seq": seq, "no_erase": False})
        except StreamRefused as refused:
            if refused.code not in MESSAGE_NOT_FOUND:
                raise

    async def _ask(self, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        payload = json.dumps(body).encode() if body is not None else b""
        answer = await self._bus.request(Outgoing(f"$JS.API.{verb}.{self.name}", payload))
        try:
            parsed: dict[str, Any] = json.loads(answer.data)
        except ValueError:
            raise BusUnavailable(detail=f"{verb}: no answer of JetStream's") from None
        if "error" in parsed:
            error = parsed["error"]
            raise StreamRefused(int(error.get("err_code", 0)), str(error.get("description", "")))
        return parsed


def _state(answer: dict[str, Any]) -> StreamState:
    config, state = answer["config"], answer["state"]
    return StreamState(
        first_seq=int(state["first_seq"]),
        last_seq=int(state["last_seq"]),
        log_epoch=(config.get("metadata") or {}).get(EPOCH, ""),
        has_atomic_batches=bool(config.get("allow_atomic")),
        created=str(answer["created"]),
    )


def _events_in(messages: list[Msg]) -> list[Event]:
    """Read messages up to one that is no event, or stands elsewhere than it says.

    Raises: NotAnEvent, if that is the first.
    """
    events: list[Event] = []
    for message in messages:
        try:
            events.append(_event_in(message))
        except NotAnEvent:
            if not events:
                raise
            break
    return events


def _event_in(message: Msg) -> Event:
    headers = message.headers or {}
    event = event_of(headers.get("Nats-Subject", ""), headers, message.data)
    if headers.get("Nats-Sequence") != str(event.gpos):
        raise NotAnEvent(event.subject)
    return event
