"""What waits for a writer: bounded, fair between workspaces, in order within each."""

from __future__ import annotations

import asyncio

import pytest

from chassis.ids import WorkspaceId
from services.messaging.actions.writers import (
    MAX_WAITING,
    MAX_WAITING_PER_WORKSPACE,
    WaitedTooLong,
    Waiting,
    WritersQueue,
)
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.faults import TooManyWaiting
from services.messaging.model.message import Author, AuthorKind
from tests.unit.messaging.builders import CONVERSATION

ONE, OTHER, THIRD = WorkspaceId("one"), WorkspaceId("other"), WorkspaceId("third")


def waiting(workspace_id: WorkspaceId, text: str = "", expires_at: float = 10.0) -> Waiting:
    draft = Draft(CONVERSATION, "id", Author(AuthorKind.MEMBER), text)
    future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
    return Waiting(workspace_id, draft, future, expires_at)


def texts(batch: list[Waiting]) -> list[str]:
    return [one.draft.text for one in batch]


def runs(batch: list[list[Waiting]]) -> list[list[str]]:
    return [texts(run) for run in batch]


async def test_a_batch_has_a_run_of_each_workspace_in_order() -> None:
    queue = WritersQueue()
    for number in range(3):
        queue.put(waiting(ONE, f"one {number}"))
        queue.put(waiting(OTHER, f"other {number}"))

    assert runs(queue.take(2, 10)) == [["one 0", "one 1"], ["other 0", "other 1"]]
    assert runs(queue.take(2, 10)) == [["one 2"], ["other 2"]]
    assert queue.take(2, 10) == []
    assert queue.count == 0


async def test_workspaces_take_turns_when_a_batch_is_full() -> None:
    queue = WritersQueue()
    for number in range(5):
        queue.put(waiting(ONE, f"one {number}"))
    queue.put(waiting(OTHER, "other 0"))

    assert runs(queue.take(2, 2)) == [["one 0", "one 1"]]
    assert runs(queue.take(2, 2)) == [["other 0"], ["one 2"]]
    assert runs(queue.take(2, 2)) == [["one 3", "one 4"]]
    assert queue.take(2, 2) == []


async def test_one_workspace_cannot_take_the_whole_queue() -> None:
    queue = WritersQueue()
    for _ in range(MAX_WAITING_PER_WORKSPACE):
        queue.put(waiting(ONE))

    with pytest.raises(TooManyWaiting) as refused:
        queue.put(waiting(ONE))
    queue.put(waiting(OTHER))

    assert refused.value.metadata() == {"retry_after_ms": "200"}


async def test_the_queue_is_bounded() -> None:
    queue = WritersQueue()
    for number in range(MAX_WAITING):
        queue.put(waiting(ONE if number % 2 else OTHER))

    with pytest.raises(TooManyWaiting):
        queue.put(waiting(THIRD))


async def test_those_whose_callers_have_gone_are_left_out() -> None:
    queue = WritersQueue()
    gone, here = waiting(ONE, "gone"), waiting(ONE, "here")
    queue.put(gone)
    queue.put(here)

    gone.result.cancel()

    assert runs(queue.take(10, 10)) == [["here"]]


async def test_those_whose_time_is_over_are_told_and_not_written() -> None:
    queue = WritersQueue()
    late, early = waiting(ONE, "late", expires_at=5.0), waiting(ONE, "early", expires_at=9.0)
    queue.put(late)
    queue.put(early)

    queue.expire(5.0)

    assert isinstance(late.result.exception(), WaitedTooLong)
    assert runs(queue.take(10, 10)) == [["early"]]
