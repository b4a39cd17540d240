"""Handing messages to platforms: what an answer means, and what a lane does next.

Pure rules; the numbers are the promise of invariant I10, everything terminal within 5 minutes:
a call starts at most START_WITHIN after its attempt was stored, takes at most CALL_WITHIN, and
what stays unknown then waits EVIDENCE_WITHIN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.messaging.model.attachment import Attachment
from services.messaging.model.channel import ChannelState
from services.messaging.model.delivery import (
    TAKEN_OVER,
    DeliveryStatus,
    Failure,
    FailureReason,
    ReceiptSource,
)
from services.messaging.model.message import AuthorKind, MessageId
from services.messaging.model.thread import ConversationId, ConversationMode

LEASE = timedelta(seconds=30)
CALL_WITHIN = timedelta(seconds=15)
LEASE_MARGIN = timedelta(seconds=5)
"""What must be left of the lease after the call's deadline, to write the outcome down."""
EVIDENCE_WITHIN = timedelta(seconds=60)
DECIDE_WITHIN = timedelta(seconds=285)
"""Of an attempt's being stored: also what a crash left behind is decided by then."""
START_WITHIN = timedelta(seconds=210)
RETRY_WITHIN = timedelta(minutes=3)
MAX_TRIES = 6
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=30)
SHORTEST_RATE_PAUSE = timedelta(seconds=1)
LONGEST_RATE_PAUSE = timedelta(minutes=10)
EARLY_LOOKUP_AFTER = timedelta(seconds=5)
"""A first look for an unknown send comes soon, the last one when its time is over."""
MAX_DIGITS = 6
"""Of an attempt's number: what is longer is not ours."""
REVIVE_WITHIN = timedelta(minutes=15)
"""Failures for a broken connection that are younger are tried again when it is back."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform has it."""

    platform_message_id: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of it left this machine, so trying again is safe everywhere."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Not now: the channel rests as long as the platform says."""

    retry_after: timedelta
    code: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The platform says no to this message."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The platform says no to us: the channel has to be connected again."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Bytes left and no clear answer came: the platform may or may not have it."""

    code: str = ""


SendOutcome = Accepted | NotSent | RateLimited | Rejected | TokenRefused | Ambiguous


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """One attempt that still owes an outcome, with what is needed to make it."""

    message_id: MessageId
    conversation_id: ConversationId
    seq: int
    number: int
    status: DeliveryStatus
    channel_key: str
    try_count: int
    create_time: datetime
    author_kind: AuthorKind
    text: str
    attachments: tuple[Attachment, ...] = ()
    due_time: datetime | None = None
    """Queued: not before; unknown: presumed failed at."""
    first_try_time: datetime | None = None
    fence: int | None = None
    """The lease under which a call is under way; None between calls."""

    is_doubtful: bool = False
    """An earlier call may have arrived: giving up is presuming, never knowing."""

    @property
    def is_in_call(self) -> bool:
        """A worker committed its intent and has not written an outcome."""
        return self.status is DeliveryStatus.SENDING and self.fence is not None

    @property
    def start_by(self) -> datetime:
        """A call that has not begun by then is not made any more."""
        return self.create_time + START_WITHIN


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an attempt."""

    attempt: OpenAttempt
    status: DeliveryStatus | None
    """New evidence; None when it only waits for its next call."""
    source: ReceiptSource
    failure: Failure | None = None
    due_time: datetime | None = None
    platform_message_id: str = ""
    is_doubtful: bool = False
    """The call may have arrived although it is made again."""


@dataclass(frozen=True, slots=True)
class LaneView:
    """What decides over a lane beside its attempts."""

    now: datetime
    mode: ConversationMode
    channel_state: ChannelState
    is_idempotent: bool
    is_paused: bool
    """The channel's bucket rests, for a rate limit or a platform that is away."""
    may_call: bool
    """The lease came with a token of the channel's bucket."""


@dataclass(frozen=True, slots=True)
class LanePlan:
    """What to do with a leased lane: settle these, make that call, come back then."""

    verdicts: tuple[Verdict, ...]
    call: OpenAttempt | None
    next_attempt_time: datetime | None
    decision_time: datetime | None


def plan_lane(attempts: Sequence[OpenAttempt], view: LaneView) -> LanePlan:
    """What a lane does now. Attempts are given in seq order, and calls start in it (I11).

    An unknown attempt does not hold up the next; one that will be tried again does.
    """
    verdicts: list[Verdict] = []
    decisions: list[datetime] = []
    call: OpenAttempt | None = None
    next_time: datetime | None = None
    is_held = False
    for attempt in attempts:
        verdict = _settled(attempt, view)
        if verdict is not None:
            verdicts.append(verdict)
            if verdict.due_time is not None:
                decisions.append(_next_look(replace(attempt, due_time=verdict.due_time), view.now))
            continue
        if attempt.status is DeliveryStatus.UNKNOWN:
            decisions.append(_next_look(attempt, view.now))
            continue
        decisions.append(attempt.start_by)
        if is_held:
            continue
        is_held = True
        due = _callable_from(attempt, view.now)
        if due <= view.now and view.may_call and view.channel_state is ChannelState.CONNECTED:
            call = attempt
        else:
            next_time = due
    return LanePlan(tuple(verdicts), call, next_time, min(decisions, default=None))


def _settled(attempt: OpenAttempt, view: LaneView) -> Verdict | None:
    """The verdict on an attempt for which time, a takeover or a crash has decided."""
    if attempt.status is DeliveryStatus.UNKNOWN:
        if attempt.due_time is None or attempt.due_time <= view.now:
            return presumed_failed(attempt)
        return None
    if attempt.is_in_call and not view.is_idempotent:
        # Its worker died, or lost its lease, between the intent and the outcome (I9).
        return unknown(attempt, view.now)
    if attempt.author_kind is AuthorKind.AI and view.mode is not ConversationMode.AI:
        return withdrawn(attempt, view.now)
    is_over = view.channel_state is ChannelState.NOT_CONNECTED or attempt.start_by <= view.now
    if is_over:
        if attempt.is_in_call or attempt.is_doubtful:
            return unknown(attempt, view.now)
        reason = _reason_to_give_up(view)
        return Verdict(
            attempt, DeliveryStatus.REPORTED_FAILED, ReceiptSource.DEADLINE, Failure(reason)
        )
    return None


def withdrawn(attempt: OpenAttempt, now: datetime) -> Verdict:
    """A person took over before it was sent; if it may be under way, that stays unknown."""
    if attempt.is_in_call or attempt.is_doubtful:
        return unknown(attempt, now)
    return Verdict(attempt, DeliveryStatus.REPORTED_FAILED, ReceiptSource.DISPATCH, TAKEN_OVER)


def unknown(attempt: OpenAttempt, now: datetime) -> Verdict:
    """Evidence is awaited, for a while."""
    return Verdict(
        attempt,
        DeliveryStatus.UNKNOWN,
        ReceiptSource.DISPATCH,
        due_time=min(now + EVIDENCE_WITHIN, attempt.create_time + DECIDE_WITHIN),
    )


def is_worth_a_lookup(attempt: OpenAttempt, now: datetime) -> bool:
    """Whether it is time to ask the platform what became of it."""
    return attempt.status is DeliveryStatus.UNKNOWN and _first_look(attempt, now) <= now


def presumed_failed(attempt: OpenAttempt) -> Verdict:
    """No evidence came; a Retry may send it twice, and says so."""
    failure = Failure(FailureReason.NO_ANSWER, may_have_arrived=True)
    return Verdict(attempt, DeliveryStatus.PRESUMED_FAILED, ReceiptSource.DEADLINE, failure)


def after_outcome(
    attempt: OpenAttempt, outcome: SendOutcome, *, now: datetime, is_idempotent: bool, luck: float
) -> Verdict:
    """The retry table of the design. `luck` in 0..1 spreads the pauses.

    `attempt` counts the call that just ended.
    """
    match outcome:
        case Accepted(platform_message_id):
            return Verdict(
                attempt,
                DeliveryStatus.SENT,
                ReceiptSource.DISPATCH,
                platform_message_id=platform_message_id,
            )
        case Rejected(failure):
            return Verdict(attempt, DeliveryStatus.REPORTED_FAILED, ReceiptSource.DISPATCH, failure)
        case RateLimited() | TokenRefused():
            # The channel rests or is held; the message keeps its place and is not to blame.
            return Verdict(attempt, None, ReceiptSource.DISPATCH, due_time=now)
        case NotSent(code):
            due = now + pause_after(attempt.try_count, luck)
            if may_try_again(attempt, due):
                return Verdict(attempt, None, ReceiptSource.DISPATCH, due_time=due)
            if attempt.is_doubtful:
                return unknown(attempt, now)
            return Verdict(
                attempt,
                DeliveryStatus.REPORTED_FAILED,
                ReceiptSource.DISPATCH,
                Failure(FailureReason.NETWORK, code),
            )
        case Ambiguous():
            due = now + pause_after(attempt.try_count, luck)
            if is_idempotent and may_try_again(attempt, due):
                return Verdict(
                    attempt, None, ReceiptSource.DISPATCH, due_time=due, is_doubtful=True
                )
            return unknown(attempt, now)


def may_try_again(attempt: OpenAttempt, due: datetime) -> bool:
    """Whether another call at that time is within tries and time."""
    began = attempt.first_try_time or attempt.create_time
    return attempt.try_count < MAX_TRIES and due < began + RETRY_WITHIN and due < attempt.start_by


def pause_after(try_count: int, luck: float) -> timedelta:
    """The pause before the next call: doubling, capped, full jitter."""
    ceiling = min(FIRST_PAUSE * (1 << min(max(0, try_count - 1), MAX_TRIES)), LONGEST_PAUSE)
    return timedelta(seconds=ceiling.total_seconds() * luck)


def rate_pause(outcome: RateLimited) -> timedelta:
    """How long a channel rests; nonsense from a platform is bounded."""
    return min(max(outcome.retry_after, SHORTEST_RATE_PAUSE), LONGEST_RATE_PAUSE)


def called(attempt: OpenAttempt, *, fence: int, now: datetime) -> OpenAttempt:
    """The attempt with the intent to call the platform now, under that lease."""
    return replace(
        attempt,
        status=DeliveryStatus.SENDING,
        fence=fence,
        is_doubtful=attempt.is_doubtful or attempt.is_in_call,
        due_time=None,
        try_count=attempt.try_count + 1,
        first_try_time=attempt.first_try_time or now,
    )


def _first_look(attempt: OpenAttempt, now: datetime) -> datetime:
    due = attempt.due_time or now
    return due - EVIDENCE_WITHIN + EARLY_LOOKUP_AFTER


def _next_look(attempt: OpenAttempt, now: datetime) -> datetime:
    first = _first_look(attempt, now)
    return first if now < first else attempt.due_time or now


def callback_data(attempt: OpenAttempt) -> str:
    """Our mark on a send: which attempt of which message."""
    return f"{attempt.message_id}.{attempt.number}"


def parse_callback_data(text: str) -> tuple[MessageId, int] | None:
    """The attempt a mark names; None when it is not one of ours."""
    message_id, _, number = text.partition(".")
    try:
        named = MessageId(str(UUID(message_id)))
    except ValueError:
        return None
    is_number = number.isdecimal() and len(number) <= MAX_DIGITS
    return (named, int(number)) if is_number else None


def _callable_from(attempt: OpenAttempt, now: datetime) -> datetime:
    if attempt.due_time is None:
        return now
    return attempt.due_time


def _reason_to_give_up(view: LaneView) -> FailureReason:
    if view.channel_state is ChannelState.RECONNECTION_NEEDED:
        return FailureReason.CHANNEL_NEEDS_RECONNECTION
    if view.channel_state is ChannelState.NOT_CONNECTED:
        return FailureReason.CHANNEL_NOT_CONNECTED
    return FailureReason.RATE_LIMITED if view.is_paused else FailureReason.NETWORK
