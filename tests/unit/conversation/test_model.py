"""Folders, read marks and the projection of messaging, as rules."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.auth import Role
from chassis.errors import VersionConflict
from services.conversation.model import folders, projection, reading
from services.conversation.model.assigning import Member, assign
from services.conversation.model.contact import new_contact, rename
from services.conversation.model.conversation import Change, Conversation, Folder, changes_between
from services.conversation.model.faults import (
    CustomerWroteMeanwhile,
    MemberCannotAnswer,
    ReadMarkAhead,
)
from services.conversation.model.thread import Hold, Mode, ThreadFacts, preview_text
from tests.unit.conversation.facts import (
    FIRST_DAY,
    OPENED,
    WORKSPACE,
    a_contact,
    a_conversation,
    message,
    switched,
)


def test_a_preview_is_the_first_140_characters_on_one_line() -> None:
    assert preview_text("  hola\n\n  ¿qué\ttal? ") == "hola ¿qué tal?"
    assert preview_text("x" * 1000) == "x" * 140
    assert preview_text("") == ""


def test_the_newest_message_gives_preview_and_activity_whatever_comes_first() -> None:
    newest = projection.project(projection.project(a_conversation(), message(2, 2)), message(1, 1))

    assert newest.preview is not None
    assert newest.preview.text == "message 2"
    assert newest.last_activity_time == newest.preview.create_time
    assert newest.inbound_count == 2


def test_a_conversation_without_messages_was_last_active_when_it_began() -> None:
    assert a_conversation().last_activity_time == OPENED.create_time


def test_the_higher_mode_epoch_wins() -> None:
    conversation = projection.project(a_conversation(), switched(Mode.AI, 3))

    late = projection.project(conversation, switched(Mode.MANUAL, 2))

    assert (late.mode, late.mode_epoch) == (Mode.AI, 3)


def test_what_only_messaging_owns_does_not_raise_the_version() -> None:
    conversation = a_conversation()

    projected = projection.project(
        projection.project(conversation, message(1, 1)), switched(Mode.AI, 2)
    )

    assert projected.version == conversation.version
    assert changes_between(conversation, projected) == ()


def test_the_customers_next_message_opens_a_solved_conversation_again() -> None:
    solved = folders.move(a_conversation(inbound_count=3), Folder.SOLVED)

    reopened = projection.project(solved, message(4, 4))

    assert reopened.folder is Folder.OPEN
    assert reopened.version == solved.version + 1
    assert changes_between(solved, reopened) == (Change.REOPENED,)


def test_a_message_leaves_spam_in_spam_where_nobody_is_to_be_told() -> None:
    spam = projection.project(a_conversation(folder=Folder.SPAM), message(1, 1))

    assert (spam.folder, spam.unread_count, spam.is_silenced) == (Folder.SPAM, 1, True)


@pytest.mark.parametrize("folder", [Folder.SOLVED, Folder.ARCHIVED])
def test_the_workspace_may_choose_that_a_message_opens_nothing_again(folder: Folder) -> None:
    settled = folders.move(a_conversation(inbound_count=3), folder)

    stays = projection.project(settled, message(4, 4), reopens_on_inbound=False)
    answered = projection.project(stays, message(5, 4))

    assert projection.project(settled, message(4, 4)).folder is Folder.OPEN
    assert (stays.folder, stays.unread_count) == (folder, 4)
    # The choice is undone: an AI reply, which is no inbound message, still opens nothing.
    assert answered.folder is folder
    assert projection.project(answered, message(6, 5)).folder is Folder.OPEN


def test_each_way_into_a_folder_is_told_by_its_own_fact() -> None:
    conversation = a_conversation()
    for folder, change in (
        (Folder.ARCHIVED, Change.MOVED),
        (Folder.SPAM, Change.MOVED),
        (Folder.SOLVED, Change.SOLVED),
        (Folder.OPEN, Change.REOPENED),
    ):
        moved = folders.move(conversation, folder, expected_version=conversation.version)

        assert (moved.folder, moved.version) == (folder, conversation.version + 1)
        assert changes_between(conversation, moved) == (change,)
        assert folders.move(moved, folder, expected_version=1) is moved
        conversation = moved


def test_archiving_must_not_hide_a_message_nobody_saw_but_spam_may() -> None:
    conversation = a_conversation(inbound_count=4)

    with pytest.raises(CustomerWroteMeanwhile):
        folders.move(conversation, Folder.ARCHIVED, seen_inbound_count=3)

    assert folders.move(conversation, Folder.SPAM, seen_inbound_count=3).folder is Folder.SPAM


def test_an_answer_or_a_repeated_old_message_does_not_reopen() -> None:
    solved = folders.move(a_conversation(inbound_count=3), Folder.SOLVED)

    answered = projection.project(projection.project(solved, message(4, 3)), message(3, 3))

    assert answered.folder is Folder.SOLVED


def test_a_message_seen_before_solving_does_not_reopen_when_its_projection_comes_late() -> None:
    seen = reading.mark_read(a_conversation(inbound_count=3), 4)

    late = projection.project(folders.move(seen, Folder.SOLVED), message(4, 4))

    assert late.folder is Folder.SOLVED
    assert projection.project(late, message(5, 5)).folder is Folder.OPEN


def test_solving_is_refused_when_the_customer_wrote_what_the_caller_has_not_seen() -> None:
    with pytest.raises(CustomerWroteMeanwhile) as refused:
        folders.move(a_conversation(inbound_count=4), Folder.SOLVED, seen_inbound_count=3)

    assert "4 messages came in, the caller saw 3" in str(refused.value)


def test_solving_by_a_client_that_is_ahead_covers_what_it_saw() -> None:
    solved = folders.move(a_conversation(inbound_count=3), Folder.SOLVED, seen_inbound_count=4)

    assert projection.project(solved, message(4, 4)).folder is Folder.SOLVED


def test_solving_twice_changes_nothing_the_second_time_even_with_an_old_version() -> None:
    solved = folders.move(a_conversation(), Folder.SOLVED, expected_version=1)

    assert folders.move(solved, Folder.SOLVED, expected_version=1) is solved
    assert changes_between(a_conversation(), solved) == (Change.SOLVED,)


def test_another_version_than_expected_is_a_conflict() -> None:
    with pytest.raises(VersionConflict):
        folders.move(a_conversation(version=5), Folder.SOLVED, expected_version=4)
    with pytest.raises(VersionConflict):
        folders.move(
            a_conversation(folder=Folder.SOLVED, version=5), Folder.OPEN, expected_version=4
        )


@pytest.mark.parametrize("folder", [Folder.SOLVED, Folder.SPAM, Folder.ARCHIVED])
def test_any_other_folder_can_be_opened(folder: Folder) -> None:
    before = a_conversation(folder=folder)

    after = folders.move(before, Folder.OPEN)

    assert after.folder is Folder.OPEN
    assert changes_between(before, after) == (Change.REOPENED,)
    assert folders.move(after, Folder.OPEN) is after


def test_a_read_mark_only_rises() -> None:
    marked = reading.mark_read(a_conversation(inbound_count=5), 4)

    assert marked.unread_count == 1
    assert reading.mark_read(marked, 3) is marked
    assert reading.mark_read(marked, 4) is marked


def test_a_client_that_saw_a_message_before_the_projection_has_its_mark_kept() -> None:
    ahead = reading.mark_read(a_conversation(inbound_count=1), 2)

    assert ahead.unread_count == 0
    assert projection.project(ahead, message(2, 2)).unread_count == 0
    assert projection.project(ahead, message(3, 3)).unread_count == 1


def test_a_read_mark_from_nowhere_is_refused() -> None:
    with pytest.raises(ReadMarkAhead):
        reading.mark_read(a_conversation(inbound_count=1), 10**12)


def test_the_name_follows_the_channel_until_a_person_gave_another() -> None:
    renamed = rename(a_contact(), replace(OPENED, customer_name="Ana B", thread_version=7))
    late = rename(renamed, replace(OPENED, customer_name="Anna", thread_version=6))
    by_hand = replace(renamed, display_name="Dra. Ana")
    kept = rename(by_hand, replace(OPENED, customer_name="Ana C", thread_version=9))

    assert (renamed.display_name, renamed.version) == ("Ana B", 2)
    assert late is renamed
    assert (kept.display_name, kept.version) == ("Dra. Ana", 2)


def test_a_contact_has_the_same_id_whenever_it_is_made() -> None:
    assert a_contact().id == new_contact(WORKSPACE, message(9, 4)).id
    assert a_contact().id != new_contact("another workspace", OPENED).id


def test_a_restored_messaging_database_counts_again_from_where_it_stands() -> None:
    before = reading.mark_read(projection.project(a_conversation(), message(10, 10)), 10)

    restored = projection.project(before, message(8, 8, epoch="second-life"))

    assert restored.preview is not None
    assert restored.preview.seq == 8
    assert (restored.inbound_count, restored.read_ordinal) == (8, 8)
    assert changes_between(before, restored) == (Change.READ,)
    assert projection.project(restored, message(9, 9, epoch="second-life")).unread_count == 1


facts_of_one_life = st.lists(
    st.one_of(
        st.integers(1, 12).map(lambda seq: message(seq, (seq + 1) // 2)),
        st.integers(1, 6).map(lambda epoch: switched(list(Mode)[epoch % 2], epoch)),
    ),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(facts_of_one_life, st.randoms(use_true_random=False))
def test_the_projection_is_the_same_in_any_order_and_with_repeats(
    facts: list[ThreadFacts], random: object
) -> None:
    shuffled = [*facts, *facts[::2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert _projected(a_conversation(), shuffled) == _projected(a_conversation(), facts)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("inbound"), st.just(0)),
            st.tuples(st.just("outbound"), st.just(0)),
            st.tuples(st.just("read"), st.integers(0, 12)),
            st.tuples(st.just("deliver"), st.integers(0, 12)),
        ),
        max_size=40,
    )
)
def test_unread_is_exact_under_reorder_repeats_and_concurrent_read_marks(
    steps: list[tuple[str, int]],
) -> None:
    log: list[ThreadFacts] = []
    inbound, highest_mark = 0, 0
    conversation = a_conversation()
    for step, value in steps:
        match step:
            case "inbound" | "outbound":
                inbound += step == "inbound"
                log.append(message(len(log) + 1, inbound))
            case "read":
                # Nobody can have seen what nobody wrote.
                mark = min(value, inbound)
                highest_mark = max(highest_mark, mark)
                conversation = reading.mark_read(conversation, mark)
            case _ if log:
                conversation = projection.project(conversation, log[value % len(log)])

    conversation = _projected(conversation, log)

    assert conversation.unread_count == max(0, inbound - highest_mark)
    assert conversation.read_ordinal == highest_mark
    assert conversation.inbound_count == inbound


def _projected(conversation: Conversation, facts: list[ThreadFacts]) -> Conversation:
    return reduce(projection.project, facts, conversation)


def test_what_waits_and_who_has_it_is_as_the_newest_thread_says() -> None:
    waits = replace(OPENED, thread_version=4, waiting_since=FIRST_DAY)
    held = replace(OPENED, thread_version=5, hold=Hold("bea", FIRST_DAY))

    for facts in ([waits, held], [held, waits], [held, waits, held]):
        conversation = a_conversation()
        for fact in facts:
            conversation = projection.project(conversation, fact)
        assert (conversation.waiting_since, conversation.hold) == (None, held.hold)
        assert (conversation.thread_version, conversation.version) == (5, 1)


def test_after_a_restore_it_waits_as_the_restored_thread_says() -> None:
    waits = replace(OPENED, thread_version=9, waiting_since=FIRST_DAY)
    restored = replace(OPENED, thread_version=2, log_epoch="second-life")

    conversation = projection.project(projection.project(a_conversation(), waits), restored)

    assert (conversation.waiting_since, conversation.thread_version) == (None, 2)


@pytest.mark.parametrize(
    ("role", "is_active", "can_answer"),
    [
        (Role.OWNER, True, True),
        (Role.AGENT, True, True),
        (Role.READ_ONLY, True, False),
        (Role.AGENT, False, False),
    ],
)
def test_members_who_can_answer_look_after_conversations(
    role: Role, is_active: bool, can_answer: bool
) -> None:
    member = Member("bea", role, is_active)

    assert member.can_answer is can_answer
    if can_answer:
        assert assign(a_conversation(), member).assignee_id == "bea"
    else:
        with pytest.raises(MemberCannotAnswer):
            assign(a_conversation(), member)
