"""One running suite for all system tests that break nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running_inbox import RunningInbox, running_inbox


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInbox]:
    """`./dev up` with its demo workspace, in a folder whose parent only its owner may enter.

    PostgreSQL, which root runs as another user, must not mind that parent.
    """
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    with running_inbox(closed / "data") as suite:
        yield suite
