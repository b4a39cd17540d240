"""What a platform's answers mean, and what follows from each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.messaging.channels.calls import Answer, read_retry_after
from services.messaging.channels.simulator import outcome_of
from services.messaging.model.breaker import FAILURES_THAT_TRIP, REST, Breaker
from services.messaging.model.channel import ChannelState
from services.messaging.model.delivery import (
    TAKEN_OVER,
    DeliveryStatus,
    Failure,
    FailureReason,
)
from services.messaging.model.dispatch import (
    CALL_WITHIN,
    DECIDE_WITHIN,
    EVIDENCE_WITHIN,
    LONGEST_PAUSE,
    MAX_TRIES,
    START_WITHIN,
    Accepted,
    Ambiguous,
    LaneView,
    NotSent,
    OpenAttempt,
    RateLimited,
    Rejected,
    SendOutcome,
    TokenRefused,
    after_outcome,
    callback_data,
    parse_callback_data,
    pause_after,
    plan_lane,
    rate_pause,
)
from services.messaging.model.message import AuthorKind, MessageId
from services.messaging.model.thread import ConversationId, ConversationMode

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ID = MessageId("0194f000-0000-7000-8000-000000000001")


def an_attempt(
    *,
    status: DeliveryStatus = DeliveryStatus.QUEUED,
    seq: int = 1,
    tries: int = 0,
    age: timedelta = timedelta(0),
    due_in: timedelta | None = None,
    fence: int | None = None,
    author: AuthorKind = AuthorKind.MEMBER,
    is_doubtful: bool = False,
) -> OpenAttempt:
    return OpenAttempt(
        message_id=ID,
        conversation_id=ConversationId(ID),
        seq=seq,
        number=1,
        status=status,
        channel_key=ID,
        try_count=tries,
        create_time=NOW - age,
        author_kind=author,
        text="hello",
        due_time=None if due_in is None else NOW + due_in,
        first_try_time=NOW - age if tries else None,
        fence=fence,
        is_doubtful=is_doubtful,
    )


def a_view(
    *,
    mode: ConversationMode = ConversationMode.MANUAL,
    state: ChannelState = ChannelState.CONNECTED,
    is_idempotent: bool = False,
    is_paused: bool = False,
    may_call: bool = True,
) -> LaneView:
    return LaneView(NOW, mode, state, is_idempotent, is_paused, may_call)


def an_answer(status: int, body: bytes = b"{}", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def error(code: str) -> bytes:
    return b'{"error": {"code": "%s"}}' % code.encode()


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (an_answer(200, b'{"message_id": "m1"}'), Accepted("m1")),
        (an_answer(200, b"<html>"), Ambiguous("ANSWER_UNREADABLE")),
        (an_answer(200, b'{"message_id": 7}'), Ambiguous("ANSWER_UNREADABLE")),
        (an_answer(204, b""), Ambiguous("ANSWER_UNREADABLE")),
        (an_answer(401, error("token_expired")), TokenRefused("token_expired")),
        (an_answer(429, error("rate_limited"), Retry_After="7"),
         RateLimited(timedelta(seconds=7), "rate_limited")),
        (an_answer(503, b"busy"), RateLimited(timedelta(seconds=2), "HTTP_503")),
        (an_answer(400, error("window_closed")),
         Rejected(Failure(FailureReason.WINDOW_CLOSED, "window_closed", is_retryable=False))),
        (an_answer(403, error("account_blocked")),
         Rejected(Failure(FailureReason.ACCOUNT_BLOCKED, "account_blocked"))),
        (an_answer(400, error("something_new")),
         Rejected(Failure(FailureReason.PLATFORM_ERROR, "something_new"))),
        (an_answer(404, b"nothing here"),
         Rejected(Failure(FailureReason.PLATFORM_ERROR, "HTTP_404"))),
        (an_answer(408), Ambiguous("HTTP_408")),
        (an_answer(302), Ambiguous("HTTP_302")),
        (an_answer(500, error("internal_error")), Ambiguous("internal_error")),
        (an_answer(502, b"bad gateway"), Ambiguous("HTTP_502")),
        (an_answer(504, b"[[[[" * 50_000), Ambiguous("HTTP_504")),
    ],
    ids=lambda value: f"{value.status}" if isinstance(value, Answer) else "",
)  # fmt: skip
def test_an_answer_means(answer: Answer, meaning: SendOutcome) -> None:
    assert outcome_of(answer) == meaning


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-4"}, 0.0),
        ({"Retry-After": "nan"}, 0.0),
        ({"Retry-After": "1e999"}, 2.0),
        ({}, 2.0),
        ({"Retry-After": "soon"}, 2.0),
        (
            {
                "Retry-After": "Mon, 02 Nov 2026 09:00:30 GMT",
                "Date": "Mon, 02 Nov 2026 09:00:00 GMT",
            },
            30.0,
        ),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float) -> None:
    assert read_retry_after(headers).total_seconds() == seconds


@pytest.mark.parametrize("is_idempotent", [False, True])
@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Accepted("m"), DeliveryStatus.SENT),
        (Rejected(Failure(FailureReason.CONTENT_REJECTED)), DeliveryStatus.REPORTED_FAILED),
        (NotSent(), None),
        (RateLimited(timedelta(seconds=5)), None),
        (TokenRefused(), None),
    ],
)
def test_what_follows_is_the_same_on_every_platform(
    outcome: SendOutcome, status: DeliveryStatus | None, is_idempotent: bool
) -> None:
    verdict = after_outcome(
        an_attempt(tries=1), outcome, now=NOW, is_idempotent=is_idempotent, luck=1.0
    )

    assert verdict.status is status


def test_a_doubt_is_only_resolved_by_sending_again_where_a_repeat_is_dropped() -> None:
    attempt = an_attempt(tries=1)

    without = after_outcome(attempt, Ambiguous(), now=NOW, is_idempotent=False, luck=1.0)
    with_keys = after_outcome(attempt, Ambiguous(), now=NOW, is_idempotent=True, luck=1.0)

    assert (without.status, without.due_time) == (DeliveryStatus.UNKNOWN, NOW + EVIDENCE_WITHIN)
    assert (with_keys.status, with_keys.is_doubtful) == (None, True)


def test_tries_end() -> None:
    last = an_attempt(tries=MAX_TRIES)

    failed = after_outcome(last, NotSent(), now=NOW, is_idempotent=False, luck=1.0)
    doubtful = an_attempt(tries=MAX_TRIES, is_doubtful=True)
    presumed = after_outcome(doubtful, NotSent(), now=NOW, is_idempotent=True, luck=1.0)

    assert failed.status is DeliveryStatus.REPORTED_FAILED
    assert presumed.status is DeliveryStatus.UNKNOWN


@pytest.mark.parametrize("outcome", [NotSent(), Ambiguous()])
@pytest.mark.parametrize("is_idempotent", [False, True])
@pytest.mark.parametrize("tries", range(1, MAX_TRIES + 1))
@pytest.mark.parametrize("age_seconds", [0, 60, 150, 200, 224])
def test_no_outcome_leaves_a_message_open_beyond_its_deadline(
    outcome: SendOutcome, is_idempotent: bool, tries: int, age_seconds: int
) -> None:
    attempt = an_attempt(tries=tries, age=timedelta(seconds=age_seconds))

    verdict = after_outcome(attempt, outcome, now=NOW, is_idempotent=is_idempotent, luck=1.0)

    due = verdict.due_time
    if due is not None:
        assert due <= attempt.create_time + DECIDE_WITHIN
    if verdict.status is None:
        assert due is not None
        assert due < attempt.start_by


def test_pauses_double_up_to_a_cap_with_full_jitter() -> None:
    assert [pause_after(tries, 1.0).total_seconds() for tries in range(1, 9)] == [
        0.5, 1, 2, 4, 8, 16, 30, 30,
    ]  # fmt: skip
    assert pause_after(3, 0.0) == timedelta(0)
    assert pause_after(60, 1.0) == LONGEST_PAUSE


def test_a_platform_cannot_ask_for_a_rest_of_a_year() -> None:
    assert rate_pause(RateLimited(timedelta(days=365))) == timedelta(minutes=10)
    assert rate_pause(RateLimited(timedelta(0))) == timedelta(seconds=1)


def test_the_first_in_order_is_called_and_the_next_waits() -> None:
    first, second = an_attempt(seq=1), an_attempt(seq=2)

    plan = plan_lane([first, second], a_view())

    assert plan.call == first
    assert plan.verdicts == ()


def test_one_that_is_tried_again_later_holds_up_the_next() -> None:
    waiting = an_attempt(seq=1, status=DeliveryStatus.SENDING, tries=1, due_in=timedelta(seconds=4))

    plan = plan_lane([waiting, an_attempt(seq=2)], a_view())

    assert plan.call is None
    assert plan.next_attempt_time == NOW + timedelta(seconds=4)


def test_an_unknown_one_does_not_hold_up_the_next() -> None:
    unknown = an_attempt(seq=1, status=DeliveryStatus.UNKNOWN, due_in=timedelta(seconds=40))
    following = an_attempt(seq=2)

    plan = plan_lane([unknown, following], a_view())

    assert plan.call == following


def test_a_call_that_was_under_way_when_its_worker_died_is_in_doubt() -> None:
    found = an_attempt(status=DeliveryStatus.SENDING, tries=1, fence=7)

    without = plan_lane([found], a_view())
    with_keys = plan_lane([found], a_view(is_idempotent=True))

    assert [verdict.status for verdict in without.verdicts] == [DeliveryStatus.UNKNOWN]
    assert without.call is None
    assert with_keys.call == found


def test_the_ais_message_is_not_sent_once_a_person_took_over() -> None:
    plan = plan_lane([an_attempt(author=AuthorKind.AI)], a_view())

    assert plan.call is None
    assert [verdict.failure for verdict in plan.verdicts] == [TAKEN_OVER]


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (
            a_view(state=ChannelState.RECONNECTION_NEEDED),
            FailureReason.CHANNEL_NEEDS_RECONNECTION,
        ),
        (a_view(is_paused=True), FailureReason.RATE_LIMITED),
        (a_view(), FailureReason.NETWORK),
    ],
)
def test_what_could_not_start_in_time_fails_with_the_reason(
    view: LaneView, reason: FailureReason
) -> None:
    plan = plan_lane([an_attempt(age=START_WITHIN)], view)

    (verdict,) = plan.verdicts
    assert verdict.status is DeliveryStatus.REPORTED_FAILED
    assert verdict.failure == Failure(reason)


def test_what_waits_on_a_channel_that_a_person_disconnected_fails_at_once() -> None:
    plan = plan_lane([an_attempt()], a_view(state=ChannelState.NOT_CONNECTED))

    (verdict,) = plan.verdicts
    assert verdict.failure == Failure(FailureReason.CHANNEL_NOT_CONNECTED)


def test_a_held_message_is_looked_at_again_by_its_deadline() -> None:
    held = an_attempt(age=timedelta(seconds=30))

    plan = plan_lane([held], a_view(state=ChannelState.RECONNECTION_NEEDED))

    assert plan.call is None
    assert plan.decision_time == held.create_time + START_WITHIN


def test_marks_come_back_as_they_went() -> None:
    assert parse_callback_data(callback_data(an_attempt())) == (ID, 1)
    for foreign in ("", "x", f"{ID}", f"{ID}.", f"{ID}.1.2", "7.7", f"{ID}.99999999999999999999"):
        assert parse_callback_data(foreign) is None


def test_a_breaker_trips_at_ten_of_twenty_and_again_at_one_after_the_rest() -> None:
    breaker = Breaker()
    rests = [
        breaker.after(NotSent(), now_seconds=float(second)) for second in range(FAILURES_THAT_TRIP)
    ]
    assert rests == [None] * (FAILURES_THAT_TRIP - 1) + [REST]

    assert breaker.after(Ambiguous(), now_seconds=30.0) == REST
    assert breaker.after(Accepted("m"), now_seconds=46.0) is None
    assert breaker.after(NotSent(), now_seconds=47.0) is None


def test_refusals_and_rate_limits_trip_no_breaker() -> None:
    breaker = Breaker()
    refused = Rejected(Failure(FailureReason.CONTENT_REJECTED))

    rests = [
        breaker.after(outcome, now_seconds=0.0)
        for outcome in (refused, RateLimited(timedelta(1)), TokenRefused()) * 10
    ]

    assert rests == [None] * 30


def test_the_call_ends_well_within_what_a_message_may_take() -> None:
    assert timedelta(minutes=5) >= START_WITHIN + CALL_WITHIN + EVIDENCE_WITHIN
