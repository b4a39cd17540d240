"""The contracts and what the code makes of them agree."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import chassis
import gateway
import services
from chassis.errors import Fault
from chassis.rpc.faults import CODES
from inbox.error import v1 as error_v1

ROOT = Path(__file__).resolve().parents[2]


def every_fault() -> set[type[Fault]]:
    """Every kind of fault that any of our processes can raise."""
    for package in (chassis, gateway, services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    found: set[type[Fault]] = set()
    waiting = [Fault]
    while waiting:
        below = waiting.pop().__subclasses__()
        found |= set(below)
        waiting += below
    return {fault for fault in found if not fault.__module__.startswith("tests.")}


def test_every_fault_has_a_kind_and_a_reason_of_the_contract() -> None:
    kinds = tuple(kind for kind, _ in CODES)
    reasons = set(error_v1.Reason.keys())

    for fault in every_fault() - set(kinds):
        assert issubclass(fault, kinds), f"{fault} is of no kind, so callers would see INTERNAL"
        assert f"REASON_{fault.reason}" in reasons, f"{fault}: {fault.reason} is no reason"
        if not fault.__subclasses__():
            assert fault.reason != "INTERNAL", f"{fault} gives no reason"


def test_generated_code_is_current() -> None:
    """Also the generator's versions: `--check` names the stale files."""
    checked = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate_protos.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
