"""When a failed call is tried again."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest

from inbox_client import InboxError, Retries
from inbox_client.methods import method_of
from inbox_client.retries import Tries

SEND = "/inbox.messaging.v1.MessagingService/SendMessage"
READ = "/inbox.messaging.v1.MessagingService/GetThread"
WITHOUT_ID = "/inbox.identity.v1.IdentityService/ChangePassword"
Code = grpc.StatusCode


class Stopwatch:
    """Time that moves when a test says so."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def tries_of(path: str, now: Stopwatch | None = None, within: float = 30, **more: object) -> Tries:
    return Tries(method_of(path), Retries(**more), within, now or Stopwatch())  # type: ignore[arg-type]


def failure(code: Code, retry_after: timedelta | None = None) -> InboxError:
    return InboxError(code, "", "", retry_after=retry_after)


@pytest.mark.parametrize("path", [SEND, READ])
@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED])
def test_what_may_be_repeated_is_tried_again_so_often_and_no_more(path: str, code: Code) -> None:
    tries = tries_of(path, tries=4)

    pauses = [tries.pause_after(failure(code)) for _ in range(3)]

    assert all(0 <= pause <= 5 for pause in pauses)
    with pytest.raises(InboxError):
        tries.pause_after(failure(code))


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED])
def test_a_write_without_an_id_is_not_repeated_in_doubt(code: Code) -> None:
    with pytest.raises(InboxError):
        tries_of(WITHOUT_ID).pause_after(failure(code))


@pytest.mark.parametrize("path", [SEND, READ, WITHOUT_ID])
def test_whoever_is_too_fast_comes_back_when_told(path: str) -> None:
    told = timedelta(seconds=2)

    pause = tries_of(path).pause_after(failure(Code.RESOURCE_EXHAUSTED, told))

    assert 2 <= pause <= 2.2


def test_too_large_is_too_large_the_next_time_too() -> None:
    with pytest.raises(InboxError):
        tries_of(READ).pause_after(failure(Code.RESOURCE_EXHAUSTED))


@pytest.mark.parametrize(
    "code", [Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.ABORTED, Code.INTERNAL, Code.UNKNOWN]
)
def test_a_refusal_is_final(code: Code) -> None:
    with pytest.raises(InboxError):
        tries_of(READ).pause_after(failure(code))


def test_all_tries_together_keep_the_calls_time() -> None:
    now = Stopwatch()
    tries = tries_of(READ, now, within=12)
    assert tries.seconds_for_this() == 10

    now.seconds += 10
    tries.pause_after(failure(Code.DEADLINE_EXCEEDED))
    assert tries.seconds_for_this() == 2

    now.seconds += 2
    with pytest.raises(InboxError):
        tries.pause_after(failure(Code.DEADLINE_EXCEEDED))


def test_a_server_that_wants_more_time_than_is_left_is_not_waited_for() -> None:
    with pytest.raises(InboxError):
        tries_of(READ, within=5).pause_after(failure(Code.RESOURCE_EXHAUSTED, timedelta(seconds=6)))


def test_pauses_have_full_jitter_below_a_cap_that_doubles() -> None:
    retries = Retries(first_pause=timedelta(seconds=1), longest_pause=timedelta(seconds=6))

    for failures, ceiling in ((1, 1), (2, 2), (3, 4), (4, 6), (400, 6)):
        drawn = [retries.pause_after(failures) for _ in range(400)]
        assert 0 <= min(drawn) < 0.1 * ceiling
        assert 0.9 * ceiling < max(drawn) <= ceiling
