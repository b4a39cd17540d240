"""What goes to NATS, as the bytes of its protocol.

nats-py checks and encodes the headers of every message one by one; for an event with its seven
headers that takes longer than all the rest of publishing it. Ours are checked where they are
made (the outbox's constraints, uuids, numbers), so they are written in one go.
"""

from __future__ import annotations

from typing import NamedTuple


class Outgoing(NamedTuple):
    """One message to be sent."""

    subject: str
    """Without spaces and control characters: not checked here."""
    payload: bytes = b""
    lines: str = ""
    """Header lines, each `Name: value` with its line end; not checked here."""


def command(message: Outgoing, reply: str = "") -> bytes:
    """The protocol's command that publishes a message, to be answered on `reply`."""
    subject, payload, lines = message
    if not lines:
        return b"%s\r\n%s\r\n" % (f"PUB {subject} {reply} {len(payload)}".encode(), payload)
    header = f"NATS/1.0\r\n{lines}\r\n".encode()
    sizes = f"{len(header)} {len(header) + len(payload)}"
    return b"%s\r\n%s%s\r\n" % (f"HPUB {subject} {reply} {sizes}".encode(), header, payload)
