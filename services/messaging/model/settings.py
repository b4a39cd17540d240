"""How messaging behaves in a workspace."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import VersionConflict
from services.messaging.model.thread import ConversationMode


@dataclass(frozen=True, slots=True)
class MessagingSettings:
    """The workspace's choices; version 0 is before anybody chose."""

    default_mode: ConversationMode
    version: int


DEFAULT_SETTINGS = MessagingSettings(ConversationMode.MANUAL, version=0)
"""People answer until somebody chooses otherwise."""


def changed(
    settings: MessagingSettings,
    *,
    default_mode: ConversationMode | None,
    expected_version: int,
) -> MessagingSettings:
    """The settings after a change; the same when nothing differs. 0 expects no version.

    Raises: VersionConflict.
    """
    if expected_version and expected_version != settings.version:
        raise VersionConflict(expected_version=expected_version, present_version=settings.version)
    if default_mode is None or default_mode is settings.default_mode:
        return settings
    return MessagingSettings(default_mode, settings.version + 1)
