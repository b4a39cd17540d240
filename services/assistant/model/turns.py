"""What the AI owes in a conversation, when it is due, and what ends a turn.

A duty is arithmetic: inbound messages up to `answered_ordinal` are answered, those up to
`inbound_count` exist. A turn answers what lies between; its number is the ordinal of the first of
them. So the number follows from messaging's own numbers: a crash, a second worker or a restored
database comes to the same number, and from it to the same client message id.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from datetime import datetime

from chassis.ids import derived_id
from services.assistant.model.settings import AssistantSettings, ProviderKind, Tool

MAX_RESTARTS = 4
"""A customer who never stops writing gets an answer all the same: from then on newer messages do
not end the turn any more, they are answered by the next one."""
NOTHING_OWED = 2**62
"""As an answered ordinal: more than there will ever be."""
MAX_TRIES = 5
"""A turn that was begun so often and came to no end is not tried again: a person is called."""
MAX_REPLY_CHARACTERS = 3_000
CUT = "…"
MAX_SUMMARY_CHARACTERS = 2_000
MAX_FIELDS = 32
MAX_KEY_CHARACTERS = 64
MAX_VALUE_CHARACTERS = 1_000
MAX_FIELDS_HANDED = 16
MAX_VALUE_HANDED_CHARACTERS = 500
"""Of those what a handover takes: it travels with every event of a conversation that waits."""


class Mode(enum.Enum):
    """Who answers; values are the names in SQL."""

    AI = "ai"
    MANUAL = "manual"


class Speaker(enum.Enum):
    """Who a message is from, as far as it matters here."""

    CUSTOMER = "customer"
    PERSON = "person"
    AI = "ai"
    NOBODY = "nobody"
    """A row that tells what happened."""


class HandoverReason(enum.Enum):
    """Why a person is called; values are the names in SQL."""

    CUSTOMER_ASKED = "customer_asked"
    UNSURE = "unsure"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_SLOW = "provider_slow"
    OTHER = "other"


class Outcome(enum.Enum):
    """How a turn ended; values are the names in SQL."""

    REPLIED = "replied"
    HANDED_OVER = "handed_over"
    SUPERSEDED = "superseded"
    TAKEN_OVER = "taken_over"
    SILENCED = "silenced"
    REFUSED = "refused"


ANSWERING = frozenset({Outcome.REPLIED, Outcome.HANDED_OVER, Outcome.REFUSED})
"""After these nothing that the turn had read is owed any more."""


@dataclass(frozen=True, slots=True)
class News:
    """What one event, or one snapshot entity, of messaging says about a thread."""

    conversation_id: str
    log_epoch: str
    thread_version: int
    mode: Mode
    mode_epoch: int
    inbound_count: int
    at: datetime
    speaker: Speaker = Speaker.NOBODY
    ordinal: int = 0
    """Inbound messages up to and including the one it tells of."""
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class FolderNews:
    """What one event, or one snapshot entity, of conversation says about where one lies."""

    conversation_id: str
    is_silenced: bool
    """It lies in Spam."""
    at: datetime
    inbound_count: int = 0
    """How many messages had come in by then, as far as conversation knew."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What the AI owes in one conversation."""

    conversation_id: str
    log_epoch: str
    """The life of messaging's database that the numbers belong to."""
    thread_version: int
    mode: Mode
    mode_epoch: int
    inbound_count: int
    answered_ordinal: int
    first_time: datetime
    """When the first message came that is not answered."""
    newest_time: datetime
    """When the customer wrote last."""
    is_silenced: bool = False
    restart_count: int = 0
    """How often a newer message ended the turn of this number."""
    try_count: int = 0
    """How often the turn of this number was begun."""

    @property
    def is_owed(self) -> bool:
        """Whether an answer of the AI is wanted."""
        return (
            self.mode is Mode.AI
            and not self.is_silenced
            and self.inbound_count > self.answered_ordinal
        )

    @property
    def turn_number(self) -> int:
        """The ordinal of the first message that is not answered."""
        return self.answered_ordinal + 1


def take_in(duty: Duty | None, news: News, settings: AssistantSettings) -> Duty:
    """The duty once an event is in; itself for a repeat."""
    if duty is None or duty.log_epoch != news.log_epoch:
        return _begin(duty, news)
    if news.thread_version <= duty.thread_version:
        return duty
    after = replace(
        duty,
        thread_version=news.thread_version,
        mode=news.mode,
        mode_epoch=news.mode_epoch,
        inbound_count=news.inbound_count,
    )
    is_others_ai = news.speaker is Speaker.AI and not settings.answers_here
    if news.speaker is Speaker.PERSON or is_others_ai:
        # Whoever wrote had read what came before. Of our own turns we know what they had read.
        return answered(after, news.ordinal)
    if news.inbound_count == duty.inbound_count:
        return after
    was_owing = duty.inbound_count > duty.answered_ordinal
    return replace(after, newest_time=news.at, first_time=duty.first_time if was_owing else news.at)


def _begin(before: Duty | None, news: News) -> Duty:
    """Nothing is owed of what was before the AI came, nor twice after a restore."""
    is_message = news.speaker is Speaker.CUSTOMER and not news.is_snapshot
    known = news.inbound_count - is_message
    if before is not None:
        known = min(before.answered_ordinal, known)
    return Duty(
        conversation_id=news.conversation_id,
        log_epoch=news.log_epoch,
        thread_version=news.thread_version,
        mode=news.mode,
        mode_epoch=news.mode_epoch,
        inbound_count=news.inbound_count,
        answered_ordinal=max(known, news.ordinal if news.speaker is Speaker.PERSON else 0),
        first_time=news.at,
        newest_time=news.at,
        is_silenced=before is not None and before.is_silenced,
    )


def answered(duty: Duty, ordinal: int) -> Duty:
    """The duty once messages up to an ordinal are answered."""
    if ordinal <= duty.answered_ordinal:
        return duty
    # The rest, if any, came after what was read: it waits since its newest at the latest.
    return replace(
        duty,
        answered_ordinal=ordinal,
        first_time=duty.newest_time,
        restart_count=0,
        try_count=0,
    )


def silenced(duty: Duty, *, is_silenced: bool, inbound_count: int = 0) -> Duty:
    """The duty with the AI kept quiet, or not; what came meanwhile is not answered later.

    Conversation may know of messages that are not heard of here: so many came in, it says.
    """
    if duty.is_silenced and not is_silenced:
        duty = answered(duty, max(duty.inbound_count, inbound_count))
    return replace(duty, is_silenced=is_silenced)


def silenced_unheard(conversation_id: str, *, at: datetime) -> Duty:
    """The duty in a conversation that is silenced before messaging told of it.

    It belongs to no life of messaging's database, so whatever is heard first begins it anew.
    """
    return Duty(
        conversation_id=conversation_id,
        log_epoch="",
        thread_version=0,
        mode=Mode.MANUAL,
        mode_epoch=0,
        inbound_count=0,
        answered_ordinal=NOTHING_OWED,
        first_time=at,
        newest_time=at,
        is_silenced=True,
    )


def due_time(duty: Duty, settings: AssistantSettings) -> datetime | None:
    """When the AI is to answer: a moment after the newest message, but soon after the first."""
    if not duty.is_owed or not settings.answers_here:
        return None
    return min(
        duty.newest_time + settings.reply_delay,
        duty.first_time + settings.longest_reply_delay,
    )


@dataclass(frozen=True, slots=True)
class CollectedField:
    """A detail the customer gave."""

    key: str
    value: str
    source_seq: int = 0
    """The message it was read from."""


@dataclass(frozen=True, slots=True)
class Handover:
    """A person is called."""

    reason: HandoverReason
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the turn is going to do: written down before it is done, so a crash repeats it."""

    text: str
    """What the customer is told; empty for nothing."""
    handover: Handover | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the provider asked for."""

    tool: Tool | None
    """None for a name nobody knows."""
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What a provider says about how it answered."""

    model: str = ""
    prompt_version: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    provider_millis: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One try to answer what a customer wrote."""

    id: str
    conversation_id: str
    number: int
    seen_ordinal: int
    mode_epoch: int
    provider: ProviderKind
    start_time: datetime
    usage: Usage = field(default_factory=Usage)
    tool_calls: tuple[ToolCall, ...] = ()
    article_ids: tuple[str, ...] = ()
    decision: Decision | None = None
    """Until it is carried out; what was said is not kept longer."""
    handover_reason: HandoverReason | None = None
    outcome: Outcome | None = None
    """None while it is under way."""
    message_id: str = ""
    end_time: datetime | None = None

    @property
    def client_message_id(self) -> str:
        """The same for every try of this number."""
        return derived_id("turn", self.conversation_id, str(self.number))

    @property
    def handover_request_id(self) -> str:
        """The same for every try of this number."""
        return derived_id("handover", self.conversation_id, str(self.number))


def shortened(text: str, *, at_most: int, in_bytes: bool) -> str:
    """A text that a channel takes, and that says where it was cut."""
    size = len(text.encode()) if in_bytes else len(text)
    if size <= at_most:
        return text
    if not in_bytes:
        return text[: at_most - len(CUT)] + CUT
    return text.encode()[: at_most - len(CUT.encode())].decode(errors="ignore") + CUT


def why_stop(duty: Duty, turn: Turn) -> Outcome | None:
    """What ends a turn that has not been decided yet; None while nothing does."""
    # Its epoch came with the history, so it may be ahead of the events.
    is_taken = duty.mode_epoch > turn.mode_epoch or (
        duty.mode_epoch == turn.mode_epoch and duty.mode is Mode.MANUAL
    )
    if is_taken:
        return Outcome.TAKEN_OVER
    if duty.is_silenced:
        return Outcome.SILENCED
    if duty.inbound_count > turn.seen_ordinal and duty.restart_count < MAX_RESTARTS:
        return Outcome.SUPERSEDED
    return None


def after_turn(duty: Duty, turn: Turn) -> Duty:
    """The duty once a turn has ended."""
    if turn.outcome in ANSWERING:
        return answered(duty, turn.seen_ordinal)
    if duty.turn_number != turn.number:
        return duty
    if turn.outcome is Outcome.SUPERSEDED:
        return replace(duty, restart_count=duty.restart_count + 1, try_count=0)
    # It came to an end that is nobody's failure.
    return replace(duty, try_count=0)
