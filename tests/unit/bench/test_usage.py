"""Readings of /proc."""

from __future__ import annotations

import os
import time

from bench.usage import Meter, resident_bytes


def test_a_meter_sees_the_cpu_a_process_uses() -> None:
    meter = Meter({"this": [os.getpid()]})
    before = meter.read()
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass

    used = meter.since(before)["this"]

    assert 0.02 <= used.cpu_seconds < 1.0
    assert used.switches >= 0


def test_a_process_that_is_gone_has_used_nothing() -> None:
    assert Meter({"gone": [2**22 + 1]}).read()["gone"].cpu_seconds == 0.0


def test_memory_is_in_bytes() -> None:
    assert resident_bytes(os.getpid()) > 2**20
