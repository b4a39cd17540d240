"""Tags, the star, marking unread, and what a conversation counts for, as rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid, VersionConflict
from services.conversation.model import reading, tagging, tags
from services.conversation.model.conversation import (
    Change,
    Conversation,
    Folder,
    changes_between,
    tag_between,
)
from services.conversation.model.counters import (
    ALL,
    CounterKey,
    Movement,
    Tally,
    counted_for,
    differences,
)
from services.conversation.model.faults import (
    NothingToMarkUnread,
    TagBuiltIn,
    TagExists,
    TooManyTagsOnConversation,
)
from services.conversation.model.tags import PRIORITY, Tag, TagColor
from tests.unit.conversation.facts import CHANNEL, FIRST_DAY, a_conversation

VIP = "018f0000-0000-7000-8000-00000000a001"
GONE = "018f0000-0000-7000-8000-00000000a002"
LIVING = frozenset({PRIORITY.id, VIP})


def a_tag(display_name: str, key: str = "") -> Tag:
    return tags.new_tag(VIP, display_name, TagColor.BLUE, key, FIRST_DAY)


@pytest.mark.parametrize(
    ("display_name", "key"),
    [
        ("Facturación 2", "facturacion-2"),
        ("  ¡VIP!  ", "vip"),
        ("x" * 40, "x" * 40),
        ("お客様", f"tag-{VIP[-8:]}"),
    ],
)
def test_a_name_makes_a_key(display_name: str, key: str) -> None:
    assert a_tag(display_name).key == key
    assert tags.KEY.fullmatch(key)


def test_a_key_is_plain_and_names_one_tag() -> None:
    for key in ("Caps", "-begins", "with space", "x" * 41):
        with pytest.raises(FieldInvalid):
            a_tag("VIP", key)
    for key in ("vip", "priority", "prioritario"):
        with pytest.raises(TagExists):
            tags.check_key(a_tag("another", key), [a_tag("VIP")])


def test_a_renamed_tag_keeps_its_key_and_what_is_the_same_changes_nothing() -> None:
    tag = a_tag("VIP")

    renamed = tags.changed(tag, display_name="Very important", color=None, expected_version=1)

    assert (renamed.key, renamed.display_name, renamed.version) == ("vip", "Very important", 2)
    assert tags.changed(tag, display_name="VIP", color=TagColor.BLUE) is tag
    with pytest.raises(VersionConflict):
        tags.changed(renamed, display_name=None, color=TagColor.RED, expected_version=1)


def test_priority_can_be_renamed_but_not_deleted() -> None:
    renamed = tags.changed(PRIORITY, display_name="Urgente", color=None)

    assert (renamed.key, renamed.is_built_in) == ("priority", True)
    with pytest.raises(TagBuiltIn):
        tags.deleted(renamed)


def test_the_star_is_the_tag() -> None:
    conversation = a_conversation()

    starred = tagging.tag(conversation, PRIORITY.id, living=LIVING, expected_version=1)
    plain = tagging.untag(starred, PRIORITY.id)

    assert (starred.is_priority, starred.version) == (True, 2)
    assert changes_between(conversation, starred) == (Change.TAGGED,)
    assert tag_between(conversation, starred) == tag_between(starred, plain) == PRIORITY.id
    assert changes_between(starred, plain) == (Change.UNTAGGED,)
    assert tagging.tag(starred, PRIORITY.id, living=LIVING, expected_version=1) is starred
    assert tagging.untag(plain, PRIORITY.id, expected_version=1) is plain


def test_deleted_tags_go_in_passing_and_make_room() -> None:
    full = a_conversation(tag_ids=tuple(f"{GONE[:-2]}{number}" for number in range(10, 30)))

    tagged = tagging.tag(full, VIP, living={VIP})

    assert tagged.tag_ids == (VIP,)
    assert tag_between(full, tagged) == VIP
    with pytest.raises(TooManyTagsOnConversation):
        tagging.tag(full, VIP, living={VIP, *full.tag_ids})


def test_marking_unread_lowers_the_mark_only_from_where_it_was_seen() -> None:
    read = a_conversation(inbound_count=5, read_ordinal=7, version=3)

    unread = reading.mark_unread(read, 4, expected_version=3)

    assert (unread.read_ordinal, unread.unread_count, unread.version) == (3, 2, 4)
    assert changes_between(read, unread) == (Change.MARKED_UNREAD,)
    assert reading.mark_unread(unread, 4, expected_version=1) is unread
    with pytest.raises(VersionConflict):
        reading.mark_unread(read, 4, expected_version=2)
    for beyond in (0, 6):
        with pytest.raises(NothingToMarkUnread):
            reading.mark_unread(read, beyond, expected_version=3)


def test_a_conversation_counts_for_its_folder_its_channel_and_its_living_tags() -> None:
    conversation = a_conversation(inbound_count=1, tag_ids=(VIP, GONE))

    changes = differences([Movement(None, conversation)], LIVING)

    assert changes == {
        CounterKey("channel", CHANNEL, "open"): Tally(1, 1),
        CounterKey("folder", ALL, "open"): Tally(1, 1),
        CounterKey("tag", VIP, "open"): Tally(1, 1),
    }
    assert list(changes) == sorted(changes)


def test_what_comes_back_to_where_it_was_changes_no_counter() -> None:
    before = a_conversation(inbound_count=1)
    moved = replace(before, folder=Folder.SPAM, tag_ids=(VIP,))

    there_and_back = [Movement(before, moved), Movement(moved, before)]

    assert differences(there_and_back, LIVING) == {}
    assert not Movement(before, replace(before, inbound_count=2)).changes_counters


conversations = st.builds(
    a_conversation,
    folder=st.sampled_from(Folder),
    inbound_count=st.integers(0, 3),
    read_ordinal=st.integers(0, 3),
    waiting_since=st.sampled_from([None, FIRST_DAY]),
    tag_ids=st.sets(st.sampled_from([PRIORITY.id, VIP, GONE])).map(lambda ids: tuple(sorted(ids))),
)


@given(st.lists(conversations, min_size=1))
def test_the_sum_of_all_changes_is_what_the_last_state_counts_for(
    states: list[Conversation],
) -> None:
    befores = [None, *states[:-1]]
    movements = [Movement(before, after) for before, after in zip(befores, states, strict=True)]

    kept = differences(movements, LIVING)

    last = states[-1]
    counted = {key: Tally(1, last.is_unread, last.is_waiting) for key in counted_for(last, LIVING)}
    assert kept == counted
