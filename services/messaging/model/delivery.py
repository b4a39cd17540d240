"""How far a message got: a maximum over evidence (invariant I8), never a transition table.

Evidence comes late, twice and out of order. Every function here gives the same result for the same
*set* of evidence, whatever the order and however often a piece of it is repeated.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


class DeliveryStatus(enum.IntEnum):
    """Each step is stronger evidence than the one before; the numbers are the contract's.

    A guess (PRESUMED_FAILED) yields to any receipt; a channel's own error (REPORTED_FAILED)
    yields to the device's receipt, which may arrive after it.
    """

    QUEUED = 1
    SENDING = 2
    UNKNOWN = 3
    PRESUMED_FAILED = 4
    SENT = 5
    REPORTED_FAILED = 6
    DELIVERED = 7
    READ = 8

    @property
    def is_failed(self) -> bool:
        """People see it as Failed."""
        return self in FAILED

    @property
    def is_open(self) -> bool:
        """We still owe it an outcome (invariant I10)."""
        return self <= DeliveryStatus.UNKNOWN


FAILED = frozenset({DeliveryStatus.PRESUMED_FAILED, DeliveryStatus.REPORTED_FAILED})


class FailureReason(enum.Enum):
    """Why a message failed, by what a person can do about it; values are the names in SQL."""

    CHANNEL_NEEDS_RECONNECTION = "channel_needs_reconnection"
    CHANNEL_NOT_CONNECTED = "channel_not_connected"
    RECIPIENT_UNAVAILABLE = "recipient_unavailable"
    CONTENT_REJECTED = "content_rejected"
    WINDOW_CLOSED = "window_closed"
    RATE_LIMITED = "rate_limited"
    NETWORK = "network"
    NO_ANSWER = "no_answer"
    TAKEN_OVER = "taken_over"
    PLATFORM_ERROR = "platform_error"
    ACCOUNT_BLOCKED = "account_blocked"


class ReceiptSource(enum.Enum):
    """Where a piece of evidence came from; values are the names in SQL."""

    API = "api"
    DISPATCH = "dispatch"
    WEBHOOK = "webhook"
    WEB_CHAT = "web_chat"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, and what a person may do."""

    reason: FailureReason
    platform_code: str = ""
    is_retryable: bool = True
    may_have_arrived: bool = False

    @property
    def weight(self) -> tuple[bool, bool, str, str]:
        """A total order, so that two failures of one attempt give one answer in any order.

        The one that warns a person most comes first: it may have arrived, it cannot be retried.
        """
        return (
            not self.may_have_arrived,
            self.is_retryable,
            self.reason.value,
            self.platform_code,
        )


TAKEN_OVER = Failure(FailureReason.TAKEN_OVER, is_retryable=False)
"""Not sent, a person took over: the AI's words are not sent in the person's name by a Retry."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing known about one attempt."""

    attempt_number: int
    status: DeliveryStatus
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class AttemptState:
    """What the evidence about one attempt adds up to."""

    number: int
    status: DeliveryStatus
    failure: Failure | None = None
    is_cancelled: bool = False
    """It was still queued when an earlier attempt turned out to have arrived: never sent."""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """How far a message got, over all its attempts."""

    status: DeliveryStatus
    failure: Failure | None
    attempt_count: int


def after_evidence(attempt: AttemptState, evidence: Evidence) -> AttemptState:
    """The attempt once a piece of evidence is in."""
    if evidence.status > attempt.status:
        failure = evidence.failure if evidence.status.is_failed else None
        return replace(attempt, status=evidence.status, failure=failure)
    if evidence.status == attempt.status and evidence.status.is_failed:
        return replace(attempt, failure=_weightier(attempt.failure, evidence.failure))
    return attempt


def delivery_of(attempts: Sequence[AttemptState]) -> DeliveryState:
    """What the attempts of one message add up to; there is at least one.

    Proof of arrival on any attempt counts for the message; else the latest attempt speaks.
    """
    counted = [attempt for attempt in attempts if not attempt.is_cancelled]
    arrived = [attempt for attempt in counted if attempt.status >= DeliveryStatus.DELIVERED]
    if arrived:
        deciding = max(arrived, key=lambda attempt: (attempt.status, attempt.number))
    else:
        deciding = max(counted, key=lambda attempt: attempt.number)
    return DeliveryState(
        status=deciding.status,
        failure=deciding.failure if deciding.status.is_failed else None,
        attempt_count=max(attempt.number for attempt in attempts),
    )


def cancelled_by_arrival(attempts: Iterable[AttemptState]) -> tuple[int, ...]:
    """Numbers of attempts that must not be sent any more, because an earlier one did arrive.

    Only an attempt that is still queued can be cancelled; one that is being sent cannot be called
    back. The cancellation is itself kept, so later evidence does not undo it.
    """
    ordered = sorted(attempts, key=lambda attempt: attempt.number)
    has_arrived = False
    cancelled: list[int] = []
    for attempt in ordered:
        if has_arrived and attempt.status is DeliveryStatus.QUEUED and not attempt.is_cancelled:
            cancelled.append(attempt.number)
        has_arrived = has_arrived or attempt.status in ARRIVED
    return tuple(cancelled)


ARRIVED = frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ})
"""The platform or the device has it."""


def _weightier(one: Failure | None, other: Failure | None) -> Failure | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda failure: failure.weight)
