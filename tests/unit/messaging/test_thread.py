"""Who may write in a conversation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.model.channel import ChannelId, ChannelState
from services.messaging.model.draft import Draft, refuse_unless_acceptable
from services.messaging.model.faults import (
    ChannelNotConnected,
    ConversationInAiMode,
    ConversationInManualMode,
    ModeEpochStale,
)
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.thread import (
    ConversationMode,
    Thread,
    conversation_id_of,
)
from tests.unit.messaging.builders import CHANNEL, a_thread

AI_THREAD = a_thread(mode=ConversationMode.AI, mode_epoch=4)


def says(thread: Thread, kind: AuthorKind, mode_epoch: int = 0) -> Draft:
    return Draft(thread.conversation_id, "id", Author(kind), "hola", mode_epoch=mode_epoch)


def accept(thread: Thread, draft: Draft, state: ChannelState = ChannelState.CONNECTED) -> None:
    refuse_unless_acceptable(draft, thread, state)


def test_a_person_writes_in_manual_mode_only() -> None:
    accept(a_thread(), says(a_thread(), AuthorKind.MEMBER))

    with pytest.raises(ConversationInAiMode):
        accept(AI_THREAD, says(AI_THREAD, AuthorKind.MEMBER))


def test_the_ai_writes_under_the_present_epoch_only() -> None:
    accept(AI_THREAD, says(AI_THREAD, AuthorKind.AI, mode_epoch=4))

    for stale in (0, 3, 5):
        with pytest.raises(ModeEpochStale):
            accept(AI_THREAD, says(AI_THREAD, AuthorKind.AI, mode_epoch=stale))
    with pytest.raises(ConversationInManualMode):
        accept(a_thread(), says(a_thread(), AuthorKind.AI, mode_epoch=1))


@pytest.mark.parametrize("kind", [AuthorKind.CUSTOMER, AuthorKind.PHONE_APP])
@pytest.mark.parametrize("state", list(ChannelState))
def test_what_a_platform_reports_is_never_refused(kind: AuthorKind, state: ChannelState) -> None:
    accept(AI_THREAD, says(AI_THREAD, kind), state)


def test_a_channel_that_needs_reconnection_takes_messages_that_wait() -> None:
    thread = a_thread()

    accept(thread, says(thread, AuthorKind.MEMBER), ChannelState.RECONNECTION_NEEDED)
    with pytest.raises(ChannelNotConnected):
        accept(thread, says(thread, AuthorKind.MEMBER), ChannelState.NOT_CONNECTED)


@given(st.text(), st.text())
def test_a_customer_has_one_conversation_per_channel(one: str, other: str) -> None:
    assert conversation_id_of(CHANNEL, one) == conversation_id_of(CHANNEL, one)
    if one != other:
        assert conversation_id_of(CHANNEL, one) != conversation_id_of(CHANNEL, other)
    assert conversation_id_of(CHANNEL, one) != conversation_id_of(ChannelId("other"), one)
