"""How the inbox behaves in a workspace."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import VersionConflict


@dataclass(frozen=True, slots=True)
class InboxSettings:
    """The workspace's choices; version 0 is before anybody chose."""

    reopens_on_inbound: bool
    """Whether the customer's next message opens a solved or archived conversation again."""
    version: int


DEFAULT_SETTINGS = InboxSettings(reopens_on_inbound=True, version=0)


def changed(
    settings: InboxSettings, *, reopens_on_inbound: bool | None, expected_version: int = 0
) -> InboxSettings:
    """The settings with what is given; the same where nothing differs. Raises: VersionConflict."""
    if expected_version not in (0, settings.version):
        raise VersionConflict(expected_version, settings.version)
    if reopens_on_inbound is None or reopens_on_inbound is settings.reopens_on_inbound:
        return settings
    return InboxSettings(reopens_on_inbound, settings.version + 1)
