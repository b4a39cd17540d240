"""The folder of a test is its tier, and its marker; a test elsewhere is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis import logs

TESTS = Path(__file__).parent
TIERS = {path.name for path in TESTS.iterdir() if path.is_dir() and not path.name.startswith("_")}

# As in production: without it every logged exception is drawn with all its variables, for seconds.
logs.configure("tests", "warning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    known = {line.partition(":")[0] for line in config.getini("markers")}
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0]
        if tier not in known & TIERS:
            raise pytest.UsageError(
                f"{item.path} belongs to no tier; put it below tests/ in one of "
                f"{', '.join(sorted(known & TIERS))}"
            )
        item.add_marker(tier)
