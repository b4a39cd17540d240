"""One running Inbox with two of everything, shared by the storms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.running_inbox import PEOPLE, RunningInbox, running_inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

TWO_OF_EVERYTHING = (
    "--workers", "conversation=2",
    "--workers", "messaging=2",
    "--workers", "realtime=2",
    "--workers", "gateway=2",
)  # fmt: skip


@pytest.fixture(scope="session")
def replicated_inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInbox]:
    data = tmp_path_factory.mktemp("storm") / "data"
    with running_inbox(data, *TWO_OF_EVERYTHING) as inbox:
        inbox.is_answered_by(PEOPLE)
        yield inbox
