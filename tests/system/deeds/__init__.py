"""Every RPC that changes something: how to make it do so, or why the audit says nothing of it.

A new RPC has to be entered with its service, in one of the two tables, else a test says its name.
"""

from __future__ import annotations

from tests.system.deeds import (
    assistant,
    contacts,
    conversation,
    identity,
    media,
    messaging,
    privacy,
)
from tests.system.deeds.stage import Deed, Stage

__all__ = ["DEEDS", "NOT_AUDITED", "Deed", "Stage"]

DEEDS: dict[str, Deed] = (
    identity.DEEDS
    | messaging.DEEDS
    | conversation.DEEDS
    | contacts.DEEDS
    | media.DEEDS
    | assistant.DEEDS
    | privacy.DEEDS
)
"""In an order in which they can be done."""

NOT_AUDITED: dict[str, str] = (
    identity.NOT_AUDITED
    | messaging.NOT_AUDITED
    | conversation.NOT_AUDITED
    | {
        "RealtimeService/PublishAiActivity": "nothing of it is kept",
        "RealtimeService/PublishPresence": "nothing of it is kept",
        "DeadLetterService/RedriveDeadLetters": "an operator's, of no workspace; no data changes",
    }
)
"""Why they leave no entry."""
