"""What a process writes to its log."""

from __future__ import annotations

import subprocess
import sys

import orjson

from suite.settings import python_environment

PROGRAM = """
import logging
from chassis import logs, tracing
logs.configure("messaging", "info")
tracing.enter("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
logs.log.info("message_accepted", message_id="m1")
logs.log.debug("not_shown")
try:
    raise ValueError("customer said hello")
except ValueError as error:
    logs.log.error("rpc_failed", exc_info=error)
logging.getLogger("library").warning("slow")
"""


def test_lines_are_json_with_event_service_and_trace() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=python_environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    accepted, failed, library = (orjson.loads(line) for line in done.stdout.splitlines())
    assert accepted["event"] == "message_accepted"
    assert accepted["service"] == "messaging"
    assert accepted["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert failed["error"] == ["ValueError"]
    assert library["library"] == "library"
    assert "hello" not in done.stdout
