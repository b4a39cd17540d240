"""What is read of messaging's events."""

from __future__ import annotations

import pytest

from inbox.messaging import v1 as messaging_v1
from services.conversation.mapping import facts_from
from tests.unit.conversation.facts import CHANNEL, CONVERSATION, EPOCH

THREAD = messaging_v1.Thread(
    conversation_id=CONVERSATION,
    channel_id=CHANNEL,
    channel_kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
    mode=messaging_v1.CONVERSATION_MODE_AI,
    mode_epoch=2,
)


@pytest.mark.parametrize(
    ("direction", "is_preview"),
    [
        (messaging_v1.MESSAGE_DIRECTION_INBOUND, True),
        (messaging_v1.MESSAGE_DIRECTION_OUTBOUND, True),
        (messaging_v1.MESSAGE_DIRECTION_INTERNAL, False),
    ],
)
def test_a_row_for_the_team_is_no_preview_and_no_activity(
    direction: messaging_v1.MessageDirection.ValueType, is_preview: bool
) -> None:
    message = messaging_v1.Message(
        seq=7,
        direction=direction,
        author=messaging_v1.Author(kind=messaging_v1.AUTHOR_KIND_SYSTEM),
    )

    facts = facts_from(THREAD, EPOCH, message)

    assert (facts.preview is not None) == is_preview
    assert facts.mode_epoch == 2
