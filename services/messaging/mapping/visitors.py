"""What a customer's chat box may know of a message."""

from __future__ import annotations

from inbox.messaging import v1
from services.messaging.mapping.times import timestamp
from services.messaging.model.message import AuthorKind, Message

VISITOR_AUTHOR_KINDS = {
    AuthorKind.CUSTOMER: v1.VISITOR_AUTHOR_KIND_SELF,
    AuthorKind.MEMBER: v1.VISITOR_AUTHOR_KIND_AGENT,
    AuthorKind.AI: v1.VISITOR_AUTHOR_KIND_ASSISTANT,
    AuthorKind.PHONE_APP: v1.VISITOR_AUTHOR_KIND_AGENT,
    AuthorKind.SYSTEM: v1.VISITOR_AUTHOR_KIND_ASSISTANT,
}


def message_to_visitor(message: Message) -> v1.VisitorMessage:
    """Never a member's id, a mode, a status or a reason; rows for the team never get here.

    Only the visitor's own messages carry a client id: the others' are ours to know.
    """
    is_own = message.author.kind is AuthorKind.CUSTOMER
    return v1.VisitorMessage(
        id=message.id,
        seq=message.seq,
        client_message_id=message.client_message_id if is_own else "",
        author_kind=VISITOR_AUTHOR_KINDS[message.author.kind],
        author_display_name=message.author.display_name,
        text=message.text,
        create_time=timestamp(message.create_time),
        version=message.version,
    )
