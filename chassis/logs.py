"""Log lines: a fixed event name and ids as fields; never customers' words.

JSON lines, or a readable form on a terminal. An exception is logged by its type and its frames
without its message, because drivers put values into messages.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from chassis.errors import Fault
from chassis.tracing import current_trace

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
FRAMES_KEPT = 30

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
"""`log.info("message_accepted", message_id=…)`."""


def configure(service: str, level: str = "info") -> None:
    """Set up this process's log; libraries' warnings go into the same stream."""
    structlog.contextvars.bind_contextvars(service=service)
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        _tell_exception,
    ]
    factory: Any
    if sys.stdout.isatty():
        processors.append(structlog.dev.ConsoleRenderer())
        factory = structlog.WriteLoggerFactory(sys.stdout)
    else:
        processors.append(structlog.processors.JSONRenderer(serializer=_json))
        factory = structlog.BytesLoggerFactory(sys.stdout.buffer)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Library()], level=logging.WARNING, force=True)


class _Library(logging.Handler):
    """Takes what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        log.log(
            record.levelno,
            "library_message",
            library=record.name,
            message=record.getMessage(),
            exc_info=record.exc_info,
        )


def _json(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace = current_trace.get()
    if trace is not None:
        event["trace_id"] = trace.trace_id
    return event


def _tell_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event.update(describe(error))
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as log fields: types, frames, SQLSTATE and our own reasons; no messages."""
    chain: list[str] = []
    present: BaseException | None = error
    while present is not None and len(chain) < FRAMES_KEPT:
        chain.append(type(present).__qualname__)
        present = present.__cause__ or present.__context__
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-FRAMES_KEPT:]
    ]
    fields: dict[str, Any] = {"error": chain, "stack": frames}
    if isinstance(error, Fault):
        fields["reason"] = error.reason
    if isinstance(error, BaseExceptionGroup):
        fields["errors"] = [describe(one) for one in error.exceptions]
    sqlstate = getattr(error, "sqlstate", None) or getattr(
        getattr(error, "orig", None), "sqlstate", None
    )
    if sqlstate:
        fields["sqlstate"] = sqlstate
    return fields
