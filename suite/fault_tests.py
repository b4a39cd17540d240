"""The fault tests by the names of the design, and what makes their full forms.

Most stand in tests/faults; some are ordinary tests of a service whose figures grow.
"""

from __future__ import annotations

from dataclasses import dataclass

from suite.infra.program import SuiteError

FOLDER = "tests/faults"
FULL_FORM = {
    "INBOX_TEST_FULL": "1",
    "INBOX_FUZZ_INPUTS": "10000",
}
"""The environment of a full form: kills and wipes, T17's schedules, T12's inputs a surface."""


@dataclass(frozen=True)
class FaultTest:
    """Where a test stands, and what it shows."""

    paths: tuple[str, ...]
    shows: str
    chosen: str = ""
    """Which tests of those files, as pytest's -k takes it; all of them when empty."""


FAULT_TESTS = {
    "T1": FaultTest(
        (f"{FOLDER}/system/test_kills.py",), "kills of every process", "kills or forgets"
    ),
    "T2": FaultTest((f"{FOLDER}/system/test_kills.py",), "wiped NATS stores", "wiping"),
    "T10": FaultTest(("tests/service/messaging/test_receipt_orders.py",), "receipts in any order"),
    "T11": FaultTest((f"{FOLDER}/test_dispatch_chaos.py",), "a hostile platform"),
    "T12": FaultTest(
        (
            "tests/system/test_malformed_calls.py",
            "tests/service/gateway/test_hardship.py",
            "tests/unit/messaging/test_simulator_webhooks.py",
            "tests/unit/realtime/test_mapping.py",
        ),
        "malformed calls, frames, webhooks and positions",
    ),
    "T17": FaultTest(
        (f"{FOLDER}/takeover", "tests/system/test_killed_ai.py"),
        "takeovers of the AI, by every way, and kills around them",
    ),
    "T18": FaultTest((f"{FOLDER}/test_event_log.py",), "two of each, without lock or check"),
    "T19": FaultTest((f"{FOLDER}/system/test_restore.py",), "a database restored under load"),
    "F49": FaultTest((f"{FOLDER}/test_counter_drift.py",), "counters under everything at once"),
}


def targets(names: list[str]) -> list[str]:
    """What pytest is to run for these names; for none, everything. Raises: SuiteError."""
    unknown = [name for name in names if name.upper() not in FAULT_TESTS]
    if unknown:
        known = "\n".join(f"  {name:4} {test.shows}" for name, test in FAULT_TESTS.items())
        raise SuiteError(f"no fault test is called {', '.join(unknown)}; there are:\n{known}")
    if not names:
        paths = (path for test in FAULT_TESTS.values() for path in test.paths)
        return [FOLDER, *(path for path in paths if not path.startswith(FOLDER))]
    chosen = [FAULT_TESTS[name.upper()] for name in names]
    words = [test.chosen for test in chosen]
    # With one of them whole, or tests of several files, pytest's -k would leave something out.
    only = ["-k", " or ".join(words)] if all(words) else []
    return [*dict.fromkeys(path for test in chosen for path in test.paths), *only]
