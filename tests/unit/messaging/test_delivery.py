"""T10, the pure part: the same set of evidence gives the same status, in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from services.messaging.model.delivery import (
    AttemptState,
    DeliveryState,
    DeliveryStatus,
    Evidence,
    Failure,
    FailureReason,
    after_evidence,
    cancelled_by_arrival,
    delivery_of,
)

NETWORK = Failure(FailureReason.NETWORK)
NO_ANSWER = Failure(FailureReason.NO_ANSWER, may_have_arrived=True)
REJECTED = Failure(FailureReason.CONTENT_REJECTED, "131051", is_retryable=False)

FAILURES = (NETWORK, NO_ANSWER, REJECTED)


def evidence(numbers: Sequence[int] = (1, 2, 3)) -> st.SearchStrategy[Evidence]:
    def build(number: int, status: DeliveryStatus, failure: Failure) -> Evidence:
        return Evidence(number, status, failure if status.is_failed else None)

    return st.builds(
        build,
        st.sampled_from(numbers),
        st.sampled_from(list(DeliveryStatus)),
        st.sampled_from(FAILURES),
    )


def delivery_after(pieces: Iterable[Evidence], attempt_count: int = 3) -> DeliveryState:
    attempts = {
        number: AttemptState(number, DeliveryStatus.QUEUED)
        for number in range(1, attempt_count + 1)
    }
    for piece in pieces:
        attempts[piece.attempt_number] = after_evidence(attempts[piece.attempt_number], piece)
    return delivery_of(list(attempts.values()))


@settings(max_examples=300, deadline=None)
@given(st.lists(evidence(), max_size=12), st.lists(st.integers(0, 11)), st.randoms())
def test_order_and_repeats_of_receipts_change_nothing(
    pieces: list[Evidence], repeats: list[int], chance: object
) -> None:
    shuffled = pieces + [pieces[place] for place in repeats if place < len(pieces)]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert delivery_after(shuffled) == delivery_after(pieces)


def test_every_order_of_what_one_attempt_can_meet_gives_one_result() -> None:
    pieces = [
        Evidence(1, DeliveryStatus.SENDING),
        Evidence(1, DeliveryStatus.SENT),
        Evidence(1, DeliveryStatus.REPORTED_FAILED, REJECTED),
        Evidence(1, DeliveryStatus.REPORTED_FAILED, NETWORK),
        Evidence(1, DeliveryStatus.DELIVERED),
        Evidence(1, DeliveryStatus.READ),
    ]
    for size in range(1, len(pieces) + 1):
        for subset in itertools.combinations(pieces, size):
            results = {
                delivery_after(order, attempt_count=1) for order in itertools.permutations(subset)
            }
            assert len(results) == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(evidence(), max_size=12))
def test_delivered_never_un_delivers_and_read_never_un_reads(pieces: list[Evidence]) -> None:
    best = DeliveryStatus.QUEUED
    for count in range(len(pieces) + 1):
        status = delivery_after(pieces[:count]).status
        if best >= DeliveryStatus.DELIVERED:
            assert status >= best
        best = max(best, status)


@settings(max_examples=200, deadline=None)
@given(st.lists(evidence(), max_size=12))
def test_a_failure_is_named_exactly_while_the_message_counts_as_failed(
    pieces: list[Evidence],
) -> None:
    delivery = delivery_after(pieces)

    assert (delivery.failure is not None) == delivery.status.is_failed


def test_a_presumed_failure_yields_to_any_receipt() -> None:
    presumed = Evidence(1, DeliveryStatus.PRESUMED_FAILED, NO_ANSWER)

    assert delivery_after([presumed, Evidence(1, DeliveryStatus.SENT)], 1).status == (
        DeliveryStatus.SENT
    )


def test_the_channels_own_error_beats_sent_and_yields_to_the_device() -> None:
    failed = Evidence(1, DeliveryStatus.REPORTED_FAILED, REJECTED)
    sent = Evidence(1, DeliveryStatus.SENT)
    delivered = Evidence(1, DeliveryStatus.DELIVERED)

    assert delivery_after([failed, sent], 1).failure == REJECTED
    assert delivery_after([failed, delivered], 1).status is DeliveryStatus.DELIVERED


def test_of_two_failures_the_one_that_warns_most_is_shown() -> None:
    one = Evidence(1, DeliveryStatus.PRESUMED_FAILED, NETWORK)
    other = Evidence(1, DeliveryStatus.PRESUMED_FAILED, NO_ANSWER)

    assert delivery_after([one, other], 1).failure == NO_ANSWER
    assert delivery_after([other, one], 1).failure == NO_ANSWER


def test_a_retry_under_way_is_what_people_see() -> None:
    pieces = [Evidence(1, DeliveryStatus.REPORTED_FAILED, NETWORK)]

    delivery = delivery_after(pieces, attempt_count=2)

    assert delivery.status is DeliveryStatus.QUEUED
    assert delivery.attempt_count == 2


def test_a_late_receipt_of_the_first_attempt_cancels_the_queued_second() -> None:
    first = AttemptState(1, DeliveryStatus.SENT)
    second = AttemptState(2, DeliveryStatus.QUEUED)

    assert cancelled_by_arrival([second, first]) == (2,)


def test_an_attempt_that_is_being_sent_cannot_be_called_back() -> None:
    first = AttemptState(1, DeliveryStatus.DELIVERED)

    assert cancelled_by_arrival([first, AttemptState(2, DeliveryStatus.SENDING)]) == ()


def test_a_cancelled_attempt_does_not_hide_that_the_first_arrived() -> None:
    first = AttemptState(1, DeliveryStatus.SENT)
    second = AttemptState(2, DeliveryStatus.QUEUED, is_cancelled=True)

    assert delivery_of([first, second]).status is DeliveryStatus.SENT


def test_what_is_cancelled_once_stays_cancelled() -> None:
    first = AttemptState(1, DeliveryStatus.REPORTED_FAILED, NETWORK)
    second = AttemptState(2, DeliveryStatus.QUEUED, is_cancelled=True)

    assert delivery_of([first, second]).status is DeliveryStatus.REPORTED_FAILED
