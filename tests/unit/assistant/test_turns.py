"""What is owed, when it is due, and what ends a turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.assistant.model.settings import AssistantSettings, ProviderKind
from services.assistant.model.turns import (
    MAX_RESTARTS,
    Duty,
    Mode,
    News,
    Outcome,
    Speaker,
    Turn,
    after_turn,
    due_time,
    shortened,
    take_in,
    why_stop,
)
from tests.fakes import START

SETTINGS = AssistantSettings()
CONVERSATION = "018f0000-0000-7000-8000-000000000001"
OPENED = News(
    conversation_id=CONVERSATION,
    log_epoch="first life",
    thread_version=1,
    mode=Mode.AI,
    mode_epoch=1,
    inbound_count=0,
    at=START,
)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def story(*happened: tuple[float, Speaker | Mode]) -> list[News]:
    """Opened, then what happened at which second."""
    told = [OPENED]
    for at, what in happened:
        last = told[-1]
        is_mode = isinstance(what, Mode)
        count = last.inbound_count + (what is Speaker.CUSTOMER)
        told.append(
            replace(
                last,
                thread_version=last.thread_version + 1,
                mode=what if isinstance(what, Mode) else last.mode,
                mode_epoch=last.mode_epoch + is_mode,
                inbound_count=count,
                ordinal=0 if is_mode else count,
                speaker=Speaker.NOBODY if isinstance(what, Mode) else what,
                at=START + seconds(at),
            )
        )
    return told


def duty_after(*news: News, settings: AssistantSettings = SETTINGS) -> Duty:
    duty: Duty | None = None
    for one in news:
        duty = take_in(duty, one, settings)
    assert duty is not None
    return duty


def due_after(*happened: tuple[float, Speaker | Mode]) -> float | None:
    """At which second an answer is due."""
    due = due_time(duty_after(*story(*happened)), SETTINGS)
    return None if due is None else (due - START).total_seconds()


def a_turn(duty: Duty, **fields: object) -> Turn:
    turn = Turn(
        id=CONVERSATION,
        conversation_id=CONVERSATION,
        number=duty.turn_number,
        seen_ordinal=duty.inbound_count,
        mode_epoch=duty.mode_epoch,
        provider=ProviderKind.OFFLINE,
        start_time=START,
    )
    return replace(turn, **fields)  # type: ignore[arg-type]


C, P, AI, NOBODY = Speaker.CUSTOMER, Speaker.PERSON, Speaker.AI, Speaker.NOBODY


def test_an_answer_is_due_two_seconds_after_the_newest_message() -> None:
    assert due_after((0, C)) == 2
    assert due_after((0, C), (1.5, C)) == 3.5


def test_but_at_most_eight_seconds_after_the_first() -> None:
    assert due_after(*((second, C) for second in range(12))) == 8


def test_nothing_is_due_while_people_answer_and_at_once_when_they_stop() -> None:
    assert due_after((0, Mode.MANUAL), (1, C)) is None
    # The customer has waited long enough; the answer is overdue the moment the AI resumes.
    assert due_after((0, Mode.MANUAL), (1, C), (900, Mode.AI)) == 3


def test_what_a_person_answered_is_not_owed() -> None:
    assert due_after((0, Mode.MANUAL), (1, C), (5, P), (900, Mode.AI)) is None
    assert due_after((0, Mode.MANUAL), (1, C), (5, P), (6, C), (900, Mode.AI)) == 8


def test_rows_that_tell_what_happened_change_nothing() -> None:
    assert due_after((0, C), (1, NOBODY)) == 2
    assert due_after((0, C), (1, AI)) == 2


@given(st.lists(st.tuples(st.just(0.0), st.sampled_from([C, P, AI, NOBODY, *Mode])), max_size=12))
def test_an_event_that_comes_twice_changes_nothing(
    happened: list[tuple[float, Speaker | Mode]],
) -> None:
    news = story(*happened)

    assert duty_after(*[one for one in news for _ in range(2)]) == duty_after(*news)
    assert duty_after(*news, *news) == duty_after(*news)


@given(st.lists(st.tuples(st.just(0.0), st.sampled_from([C, P, AI, NOBODY, *Mode])), max_size=12))
def test_never_more_is_answered_than_was_written(
    happened: list[tuple[float, Speaker | Mode]],
) -> None:
    duty = duty_after(*story(*happened))

    assert 0 <= duty.answered_ordinal <= duty.inbound_count


def test_a_snapshot_of_an_unknown_thread_owes_nothing() -> None:
    newest = replace(story((0, C), (1, C))[-1], is_snapshot=True)

    assert due_time(duty_after(newest), SETTINGS) is None


def test_a_snapshot_of_a_known_thread_owes_what_was_missed() -> None:
    news = story((0, C), (1, C), (2, C))

    duty = duty_after(news[0], replace(news[-1], is_snapshot=True))

    assert (duty.turn_number, duty.inbound_count) == (1, 3)


def test_after_messagings_restore_nothing_is_answered_twice() -> None:
    known = after_turn(
        duty_after(*story((0, C), (1, C))),
        a_turn(duty_after(*story((0, C), (1, C))), outcome=Outcome.REPLIED),
    )
    again = replace(story((0, C))[-1], log_epoch="second life")

    assert not take_in(known, replace(again, is_snapshot=True), SETTINGS).is_owed
    assert take_in(known, again, SETTINGS).turn_number == 1


def test_a_turn_goes_on_while_nothing_happens_and_ends_with_what_does() -> None:
    before = duty_after(*story((0, C)))
    turn = a_turn(before)

    assert why_stop(before, turn) is None
    assert why_stop(duty_after(*story((0, C), (1, C))), turn) is Outcome.SUPERSEDED
    assert why_stop(duty_after(*story((0, C), (1, Mode.MANUAL))), turn) is Outcome.TAKEN_OVER
    assert why_stop(replace(before, is_silenced=True), turn) is Outcome.SILENCED


def test_a_takeover_that_was_undone_is_a_takeover_all_the_same() -> None:
    turn = a_turn(duty_after(*story((0, C))))

    now = duty_after(*story((0, C), (1, Mode.MANUAL), (2, Mode.AI)))

    assert why_stop(now, turn) is Outcome.TAKEN_OVER


def test_events_that_are_behind_the_history_end_no_turn() -> None:
    behind = duty_after(*story((0, C), (1, Mode.MANUAL)))

    assert why_stop(behind, a_turn(behind, mode_epoch=behind.mode_epoch + 1)) is None


def test_who_writes_all_the_time_ends_the_turn_only_so_often() -> None:
    duty = duty_after(*story((0, C)))
    for _ in range(MAX_RESTARTS):
        duty = replace(duty, inbound_count=duty.inbound_count + 1)
        turn = a_turn(duty, seen_ordinal=duty.inbound_count - 1)
        assert why_stop(duty, turn) is Outcome.SUPERSEDED
        duty = after_turn(duty, replace(turn, outcome=Outcome.SUPERSEDED))

    duty = replace(duty, inbound_count=duty.inbound_count + 1)

    assert why_stop(duty, a_turn(duty, seen_ordinal=duty.inbound_count - 1)) is None


def test_an_answer_owes_what_came_after_it_was_begun() -> None:
    duty = duty_after(*story((0, C), (1, C), (5, C)))

    after = after_turn(duty, a_turn(duty, seen_ordinal=2, outcome=Outcome.REPLIED))

    assert (after.turn_number, after.is_owed) == (3, True)
    assert due_time(after, SETTINGS) == START + seconds(7)


def test_ids_follow_from_the_burst_alone() -> None:
    duty = duty_after(*story((0, C)))
    one = a_turn(duty)
    other = a_turn(duty, id="018f0000-0000-7000-8000-00000000000f", seen_ordinal=5, mode_epoch=9)

    assert one.client_message_id == other.client_message_id
    assert one.client_message_id != one.handover_request_id
    assert one.client_message_id != replace(one, number=2).client_message_id


@given(st.text(max_size=60), st.integers(5, 40), st.booleans())
def test_a_text_that_is_too_long_is_cut_to_what_the_channel_takes(
    text: str, at_most: int, in_bytes: bool
) -> None:
    cut = shortened(text, at_most=at_most, in_bytes=in_bytes)

    assert (len(cut.encode()) if in_bytes else len(cut)) <= at_most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


def test_a_workspace_that_answers_by_itself_owes_nothing() -> None:
    theirs = AssistantSettings(provider=ProviderKind.NONE)
    duty = duty_after(*story((0, C), (1, AI), (2, C)), settings=theirs)

    assert due_time(duty, theirs) is None
    assert duty.answered_ordinal == 1
