"""How messaging behaves in a workspace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from chassis.errors import FieldInvalid, VersionConflict
from services.messaging.model.mode import NEVER
from services.messaging.model.thread import ConversationMode


@dataclass(frozen=True, slots=True)
class MessagingSettings:
    """The workspace's choices; version 0 is before anybody chose."""

    default_mode: ConversationMode
    resume_ai_after: timedelta
    """How long after a person's last message the AI takes a conversation over again."""
    version: int


DEFAULT_SETTINGS = MessagingSettings(
    ConversationMode.MANUAL, resume_ai_after=timedelta(minutes=15), version=0
)
"""People answer until somebody chooses otherwise."""
SHORTEST_RESUME = timedelta(seconds=1)
LONGEST_RESUME = timedelta(days=7)


def changed(
    settings: MessagingSettings,
    *,
    default_mode: ConversationMode | None,
    resume_ai_after: timedelta | None,
    expected_version: int,
) -> MessagingSettings:
    """The settings after a change; the same when nothing differs. 0 expects no version.

    Raises: VersionConflict, FieldInvalid.
    """
    if expected_version and expected_version != settings.version:
        raise VersionConflict(expected_version=expected_version, present_version=settings.version)
    if resume_ai_after is not None:
        _refuse_unless_waitable(resume_ai_after)
    after = replace(
        settings,
        default_mode=default_mode or settings.default_mode,
        resume_ai_after=(settings.resume_ai_after if resume_ai_after is None else resume_ai_after),
    )
    return settings if after == settings else replace(after, version=settings.version + 1)


def _refuse_unless_waitable(span: timedelta) -> None:
    is_in_range = span == NEVER or SHORTEST_RESUME <= span <= LONGEST_RESUME
    if not is_in_range or span.microseconds:
        raise FieldInvalid(
            field="resume_ai_after", rule="must be 0 or whole seconds, from 1 second to 7 days"
        )
