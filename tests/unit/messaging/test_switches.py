"""Takeovers, handovers, the pin, and when the AI takes over again by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid
from services.messaging.model.faults import (
    ConversationInAiMode,
    ConversationInManualMode,
    ModeEpochStale,
)
from services.messaging.model.handover import (
    CollectedField,
    Handover,
    HandoverReason,
    refuse_unless_sound,
)
from services.messaging.model.message import (
    AiResumed,
    Author,
    AuthorKind,
    Direction,
    MessageId,
    appended,
    noted,
)
from services.messaging.model.mode import NEVER, handed_over, kept, resumed, switched
from services.messaging.model.settings import DEFAULT_SETTINGS, changed
from services.messaging.model.thread import ConversationMode, Hold, Thread
from tests.unit.messaging.builders import NOON, a_thread

AI, MANUAL = ConversationMode.AI, ConversationMode.MANUAL
AI_THREAD = a_thread(mode=AI, mode_epoch=4)
QUARTER = timedelta(minutes=15)
ASKED = Handover(HandoverReason.CUSTOMER_ASKED, "wants a refund", (), NOON)


def switch(thread: Thread, mode: ConversationMode, **options: Any) -> Thread:
    given: dict[str, Any] = {
        "expected_mode_epoch": 0,
        "keep_manual": False,
        "resume_ai_after": QUARTER,
        "at": NOON,
    }
    return switched(thread, mode, **(given | options))


def hand_over(thread: Thread, mode_epoch: int = 4) -> Thread:
    return handed_over(thread, ASKED, mode_epoch=mode_epoch, resume_ai_after=QUARTER)


def write(thread: Thread, kind: AuthorKind, minutes: int) -> Thread:
    grown, _ = appended(
        thread,
        message_id=MessageId("m"),
        client_message_id="c",
        author=Author(kind),
        text="hola",
        at=NOON + timedelta(minutes=minutes),
    )
    return grown


def test_a_switch_raises_epoch_and_version() -> None:
    taken_over = switch(AI_THREAD, MANUAL, expected_mode_epoch=4)

    assert (taken_over.mode, taken_over.mode_epoch) == (MANUAL, 5)
    assert taken_over.version == AI_THREAD.version + 1


@pytest.mark.parametrize("thread", [AI_THREAD, a_thread(), switch(AI_THREAD, MANUAL)])
def test_a_switch_to_the_same_mode_changes_nothing(thread: Thread) -> None:
    assert switch(thread, thread.mode) is thread


def test_whoever_takes_it_over_has_it_since_they_did() -> None:
    taken = switch(AI_THREAD, MANUAL, member_id="ana")
    later = NOON + QUARTER

    assert taken.hold == Hold("ana", NOON)
    assert switch(taken, MANUAL, member_id="ana", at=later) is taken
    by_colleague = switch(taken, MANUAL, member_id="bo", at=later)
    assert by_colleague.hold == Hold("bo", later)
    assert (by_colleague.version, by_colleague.mode_epoch) == (taken.version + 1, taken.mode_epoch)
    assert switch(by_colleague, AI).hold is None
    assert hand_over(AI_THREAD).hold is None


def test_a_member_who_writes_has_it_and_nobody_else_takes_it_by_writing() -> None:
    written = write(switch(AI_THREAD, MANUAL), AuthorKind.MEMBER, 10)

    assert written.hold == Hold("", NOON + timedelta(minutes=10))
    for kind in (AuthorKind.MEMBER, AuthorKind.CUSTOMER, AuthorKind.PHONE_APP):
        assert write(written, kind, 20).hold == written.hold


def test_a_switch_that_expects_another_epoch_is_refused() -> None:
    with pytest.raises(ModeEpochStale):
        switch(AI_THREAD, MANUAL, expected_mode_epoch=3)


def test_what_is_taken_over_goes_back_to_the_ai_after_a_while() -> None:
    taken_over = switch(AI_THREAD, MANUAL)

    assert taken_over.manual_until == NOON + QUARTER
    assert resumed(taken_over, at=NOON + QUARTER - timedelta(microseconds=1)) is taken_over
    back = resumed(taken_over, at=NOON + QUARTER)
    assert (back.mode, back.mode_epoch, back.manual_until) == (AI, 6, None)


def test_each_message_of_a_person_begins_the_time_anew_and_nobody_elses_does() -> None:
    taken_over = switch(AI_THREAD, MANUAL)

    for kind in (AuthorKind.MEMBER, AuthorKind.PHONE_APP):
        assert write(taken_over, kind, 10).manual_until == NOON + timedelta(minutes=25)
    assert write(taken_over, AuthorKind.CUSTOMER, 10).manual_until == taken_over.manual_until


def test_a_thread_that_began_with_people_stays_with_them() -> None:
    answered = write(a_thread(), AuthorKind.MEMBER, 10)

    assert answered.manual_until is None
    assert resumed(answered, at=NOON + timedelta(days=365)) is answered


def test_where_the_ai_never_resumes_a_takeover_is_for_good() -> None:
    taken_over = switch(AI_THREAD, MANUAL, resume_ai_after=NEVER)

    assert taken_over.manual_until is None
    assert write(taken_over, AuthorKind.MEMBER, 10).manual_until is None


def test_the_pin_stops_the_time_and_without_it_the_time_begins_anew() -> None:
    taken_over = switch(AI_THREAD, MANUAL)
    later = NOON + timedelta(hours=1)

    pinned = kept(taken_over, is_kept=True, expected_mode_epoch=5, at=NOON)
    unpinned = kept(pinned, is_kept=False, expected_mode_epoch=0, at=later)

    assert (pinned.is_manual_kept, pinned.manual_until) == (True, None)
    assert write(pinned, AuthorKind.MEMBER, 10).manual_until is None
    assert (unpinned.is_manual_kept, unpinned.manual_until) == (False, later + QUARTER)
    assert (pinned.version, unpinned.version) == (taken_over.version + 1, taken_over.version + 2)
    assert kept(pinned, is_kept=True, expected_mode_epoch=0, at=later) is pinned


def test_a_takeover_may_pin_at_once() -> None:
    at_once = switch(AI_THREAD, MANUAL, keep_manual=True)

    assert at_once == replace(switch(AI_THREAD, MANUAL), is_manual_kept=True, manual_until=None)
    assert switch(switch(AI_THREAD, MANUAL), MANUAL, keep_manual=True).is_manual_kept


def test_only_what_people_have_can_be_kept() -> None:
    with pytest.raises(ConversationInAiMode):
        kept(AI_THREAD, is_kept=True, expected_mode_epoch=0, at=NOON)
    with pytest.raises(ModeEpochStale):
        kept(a_thread(), is_kept=True, expected_mode_epoch=7, at=NOON)


def test_only_the_ai_that_has_a_conversation_hands_it_over() -> None:
    waiting = hand_over(AI_THREAD)

    assert (waiting.mode, waiting.mode_epoch, waiting.handover) == (MANUAL, 5, ASKED)
    assert waiting.manual_until == NOON + QUARTER
    with pytest.raises(ModeEpochStale):
        hand_over(AI_THREAD, mode_epoch=3)
    with pytest.raises(ConversationInManualMode):
        hand_over(waiting, mode_epoch=5)


@pytest.mark.parametrize(
    "comes",
    [
        lambda thread: write(thread, AuthorKind.MEMBER, 1),
        lambda thread: write(thread, AuthorKind.PHONE_APP, 1),
        lambda thread: switch(thread, AI),
        lambda thread: switch(thread, MANUAL),
        lambda thread: resumed(thread, at=NOON + QUARTER),
    ],
    ids=["a person writes", "from the phone", "back to the AI", "somebody takes it", "time is up"],
)
def test_the_waiting_ends_when_somebody_comes(comes: Callable[[Thread], Thread]) -> None:
    waiting = hand_over(AI_THREAD)

    assert write(waiting, AuthorKind.CUSTOMER, 1).handover == ASKED
    over = comes(waiting)
    assert over.handover is None
    assert over.version == waiting.version + 1


def test_a_row_for_the_team_takes_a_place_and_is_no_activity() -> None:
    thread = write(AI_THREAD, AuthorKind.CUSTOMER, 1)

    grown, row = noted(
        thread, AiResumed(), message_id=MessageId("m"), client_message_id="c", at=NOON + QUARTER
    )

    assert (row.seq, row.direction, row.delivery_status) == (2, Direction.INTERNAL, None)
    assert row.inbound_ordinal == thread.inbound_count
    assert grown == replace(thread, last_seq=2, version=thread.version + 1)


@given(st.lists(st.sampled_from(["AI", "MANUAL", "keep", "let", "write", "over", "time"])))
def test_a_thread_is_armed_only_while_people_have_it_without_the_pin(steps: list[str]) -> None:
    thread = AI_THREAD
    for number, step in enumerate(steps):
        before, at = thread, NOON + timedelta(minutes=10 * number)
        if step in ("AI", "MANUAL"):
            thread = switch(thread, ConversationMode[step], at=at)
        elif step in ("keep", "let") and thread.mode is MANUAL:
            thread = kept(thread, is_kept=step == "keep", expected_mode_epoch=0, at=at)
        elif step == "write" and thread.mode is MANUAL:
            thread = write(thread, AuthorKind.MEMBER, 10 * number)
        elif step == "over" and thread.mode is AI:
            thread = hand_over(thread, thread.mode_epoch)
        elif step == "time":
            thread = resumed(thread, at=at)
        assert (thread.manual_until is not None) == (
            thread.mode is MANUAL and not thread.is_manual_kept
        )
        assert thread.handover is None or thread.mode is MANUAL
        assert (thread.mode_epoch > before.mode_epoch) == (thread.mode is not before.mode)
        assert (thread.version > before.version) == (thread != before)


@pytest.mark.parametrize(
    ("field", "handover"),
    [
        ("summary", replace(ASKED, summary="x" * 2_001)),
        ("summary", replace(ASKED, summary="\x00")),
        ("fields", replace(ASKED, fields=tuple(CollectedField(str(n), "v") for n in range(17)))),
        ("fields.key", replace(ASKED, fields=(CollectedField(" ", "v"),))),
        ("fields.key", replace(ASKED, fields=(CollectedField("k" * 65, "v"),))),
        ("fields.key", replace(ASKED, fields=(CollectedField("k", "v"), CollectedField("k", "w")))),
        ("fields.value", replace(ASKED, fields=(CollectedField("k", "v" * 501),))),
        ("fields.source_seq", replace(ASKED, fields=(CollectedField("k", "v", -1),))),
    ],
)
def test_a_handover_that_no_event_could_carry_is_refused(field: str, handover: Handover) -> None:
    refuse_unless_sound(ASKED)

    with pytest.raises(FieldInvalid) as refused:
        refuse_unless_sound(handover)
    assert refused.value.field == field


@pytest.mark.parametrize("seconds", [-1, 0.5, 1.5, 7 * 86_400 + 1])
def test_a_time_to_resume_is_never_or_up_to_a_week(seconds: float) -> None:
    for good in (NEVER, timedelta(seconds=1), timedelta(days=7)):
        settings = changed(
            DEFAULT_SETTINGS, default_mode=None, resume_ai_after=good, expected_version=0
        )
        assert (settings.resume_ai_after, settings.version) == (good, 1)

    with pytest.raises(FieldInvalid):
        changed(
            DEFAULT_SETTINGS,
            default_mode=None,
            resume_ai_after=timedelta(seconds=seconds),
            expected_version=0,
        )
