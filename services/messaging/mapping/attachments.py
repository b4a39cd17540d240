"""Files that messages carry as protobuf, and what channels take of them."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from inbox.messaging import v1
from services.messaging.model.attachment import (
    MAX_ATTACHMENTS,
    Attachment,
    AttachmentKind,
    AttachmentLimit,
    Wanted,
)

ATTACHMENT_KINDS = {
    kind: v1.AttachmentKind.Value(f"ATTACHMENT_KIND_{kind.name}") for kind in AttachmentKind
}
ATTACHMENT_KINDS_BACK = {number: kind for kind, number in ATTACHMENT_KINDS.items()}


def attachment_to_proto(attachment: Attachment) -> v1.Attachment:
    """A file of a message as the contract has it."""
    return v1.Attachment(
        media_id=attachment.media_id,
        kind=ATTACHMENT_KINDS[attachment.kind],
        file_name=attachment.file_name,
        content_type=attachment.content_type,
        size_bytes=attachment.size_bytes,
    )


def limit_to_proto(limit: AttachmentLimit) -> v1.AttachmentLimit:
    """What a channel takes of one kind, as the contract has it."""
    return v1.AttachmentLimit(
        kind=ATTACHMENT_KINDS[limit.kind],
        max_size_bytes=limit.max_size_bytes,
        content_types=limit.content_types,
        has_caption=limit.has_caption,
    )


def wanted_from(given: Sequence[v1.OutboundAttachment]) -> tuple[Wanted, ...]:
    """Which files a request wants to send. Raises: FieldInvalid."""
    if len(given) > MAX_ATTACHMENTS:
        raise FieldInvalid(field="attachments", rule=f"must be at most {MAX_ATTACHMENTS}")
    return tuple(_wanted_from(one) for one in given)


def _wanted_from(given: v1.OutboundAttachment) -> Wanted:
    kind = None
    if given.kind:
        kind = ATTACHMENT_KINDS_BACK.get(given.kind)
        if kind is None:
            raise FieldInvalid(field="attachments.kind", rule="must be one of the kinds")
    return Wanted(parse_id("attachments.media_id", given.media_id), kind)
