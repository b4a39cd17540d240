"""What can be wrong with a request to the inbox."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import Aborted, NotFound, OutOfRange


@dataclass(eq=False)
class ConversationNotFound(NotFound):
    """No such conversation, or not for this caller."""

    conversation_id: str
    reason = "CONVERSATION_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no conversation {self.conversation_id} for this credential"


@dataclass(eq=False)
class CustomerWroteMeanwhile(Aborted):
    """Solving would hide a message the caller has not seen."""

    seen_inbound_count: int
    inbound_count: int
    reason = "VERSION_CONFLICT"

    def __str__(self) -> str:
        return (
            f"the customer wrote since: {self.inbound_count} messages came in, the caller saw "
            f"{self.seen_inbound_count}; read them and decide anew"
        )


@dataclass(eq=False)
class ReadMarkAhead(OutOfRange):
    """The read mark names a message far beyond those that came in."""

    read_ordinal: int
    inbound_count: int
    reason = "INVALID_ARGUMENT"

    def __str__(self) -> str:
        return (
            f"read_ordinal {self.read_ordinal} is beyond the {self.inbound_count} messages that "
            "came in; send the inbound_ordinal of the newest message seen"
        )
