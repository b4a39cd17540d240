"""The neighbours, as the AI needs them; each is called in one workspace, as its bot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.ids import WorkspaceId
from services.assistant.model.turns import CollectedField, Handover, Mode
from services.assistant.providers.port import Line


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation, and the name under which the AI acts in it."""

    workspace_id: WorkspaceId
    conversation_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class History:
    """The newest messages of a conversation, and who answers there."""

    mode: Mode
    mode_epoch: int
    lines: tuple[Line, ...]
    """Oldest first; rows for the team left out."""

    @property
    def seen_ordinal(self) -> int:
        """Inbound messages up to and including the newest read."""
        return self.lines[-1].ordinal if self.lines else 0


class NotOurs(Exception):
    """A person answers there now, or the mode was switched to and fro: nothing was sent."""


class NotTaken(Exception):
    """The conversation does not take this message, and will not take it later."""


class Messaging(Protocol):
    """Reads and writes conversations. Every method raises TemporarilyUnavailable."""

    async def read(self, place: Place, size: int) -> History:
        """The newest messages. Raises: NotTaken, where there is no such conversation."""
        ...

    async def send(
        self, place: Place, *, client_message_id: str, text: str, mode_epoch: int
    ) -> str:
        """Send once, shortened to what the channel takes; the message's id, also for a repeat.

        Empty where something else was said under that id: a restored database comes to it again.
        Raises: NotOurs, NotTaken.
        """
        ...

    async def is_on_its_way(self, place: Place, message_id: str) -> bool:
        """Whether a switch to manual mode would leave the message alone."""
        ...

    async def hand_over(
        self,
        place: Place,
        *,
        request_id: str,
        mode_epoch: int,
        handover: Handover,
        fields: Sequence[CollectedField],
    ) -> None:
        """Give the conversation to people; a repeat changes nothing. Raises: NotOurs, NotTaken."""
        ...


class DetailRefused(Exception):
    """The contact does not take this detail, and will not take it later; the text says why."""


class Contacts(Protocol):
    """What the workspace knows of its customers."""

    async def save_field(self, place: Place, field: CollectedField, *, request_id: str) -> None:
        """Write down a detail of the customer of a conversation; a repeat changes nothing.

        Raises: DetailRefused, TemporarilyUnavailable.
        """
        ...


class Audience(Protocol):
    """Those who watch a conversation."""

    async def tell(self, place: Place, *, is_writing: bool) -> None:
        """Say that the AI writes, or stopped. Nothing depends on it: failures are swallowed."""
        ...
