"""The shared inbox on a real database of its own."""

from __future__ import annotations

import pytest

from chassis.clock import SystemClock
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.conversation.actions.means import Means
from tests.service.conversation.desk import Desk
from tests.service.conversation.members import KnownMembers


@pytest.fixture
def desk(app: Database, worker: Database) -> Desk:
    """A workspace nobody else in the module's database uses."""
    wakes: list[None] = []
    means = Means(app, SystemClock(), lambda: wakes.append(None), KnownMembers())
    return Desk(means, worker, WorkspaceId(new_id()), wakes)
