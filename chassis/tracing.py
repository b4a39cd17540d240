"""Which request something belongs to: W3C trace context across gRPC and NATS.

Only the header travels (`traceparent`); any collector can join log lines and events by its ids.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "traceparent"
FORMAT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """One step of one request."""

    trace_id: str
    span_id: str
    flags: str = "01"

    def header(self) -> str:
        """The value of `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)


def parse(header: str | None) -> Trace | None:
    """Read a `traceparent`; None when it is missing or not one."""
    match = FORMAT.fullmatch(header or "")
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return Trace(match[1], match[2], match[3])


def enter(header: str | None) -> Trace:
    """Begin a step of the request the header names, or of a fresh one, in this task."""
    parent = parse(header)
    if parent is None:
        trace = Trace(secrets.token_hex(16), secrets.token_hex(8))
    else:
        trace = Trace(parent.trace_id, secrets.token_hex(8), parent.flags)
    current_trace.set(trace)
    return trace


def traceparent() -> str:
    """The present step as a header, for outgoing calls and events; empty outside of any."""
    trace = current_trace.get()
    return trace.header() if trace is not None else ""
