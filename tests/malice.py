"""How much malice a test tries: little in `./dev test`, a lot in `./dev faults T12`."""

from __future__ import annotations

import pytest

from suite.settings import process_environment

tries_many = pytest.mark.timeout(1_800)
"""For a test whose inputs take their time when there are ten thousand."""


def input_count(short: int) -> int:
    """How many inputs a surface gets."""
    return int(process_environment().get("INBOX_FUZZ_INPUTS") or short)
