"""One running suite for all system tests that break nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.running import RunningSuite, running_suite


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSuite]:
    """`./dev up` with its demo workspace, in a folder whose parent only its owner may enter.

    PostgreSQL, which root runs as another user, must not mind that parent.
    """
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    with running_suite(closed / "data") as suite:
        yield suite
