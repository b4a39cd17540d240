"""Files that messages carry, and which of them a channel takes."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import FieldInvalid
from services.messaging.model.attachment_faults import (
    AttachmentNotSupported,
    AttachmentTooLarge,
    CaptionNotSupported,
    TooManyAttachments,
)

MAX_ATTACHMENTS = 10
"""Of one message on any channel; each is asked about before the message is stored."""
MIB = 1024 * 1024


class AttachmentKind(enum.Enum):
    """How a file is sent and shown; values are the names in JSON."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"


TYPES = {
    AttachmentKind.IMAGE: "image/",
    AttachmentKind.VIDEO: "video/",
    AttachmentKind.AUDIO: "audio/",
    AttachmentKind.VOICE: "audio/",
    AttachmentKind.DOCUMENT: "",
    AttachmentKind.STICKER: "image/webp",
}
"""How the type of a file that is sent that way begins."""
NEVER_SHOWN = "image/svg"
"""A picture that may hold a program: only ever a document (invariant I16)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a message carries."""

    media_id: str
    kind: AttachmentKind
    file_name: str
    content_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stored file that shall be sent."""

    media_id: str
    kind: AttachmentKind | None
    """None: as its type says."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What media tells of a file."""

    media_id: str
    file_name: str
    content_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class AttachmentLimit:
    """What a channel takes of one kind of file."""

    kind: AttachmentKind
    max_size_bytes: int
    content_types: tuple[str, ...] = ()
    """Empty for any."""
    has_caption: bool = True

    def takes_type(self, content_type: str) -> bool:
        """Parameters do not matter, as in "audio/ogg; codecs=opus"."""
        return not self.content_types or bare_type(content_type) in self.content_types


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """What a channel takes of files."""

    by_kind: tuple[AttachmentLimit, ...] = ()
    max_count: int = 0
    max_caption_length: int = 0

    def of(self, kind: AttachmentKind) -> AttachmentLimit | None:
        """Of one kind; None when it is not taken."""
        return next((limit for limit in self.by_kind if limit.kind is kind), None)


TEXT_ONLY = AttachmentLimits()
"""Of a channel that takes no files."""


def bare_type(content_type: str) -> str:
    """A type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def kind_of(content_type: str) -> AttachmentKind:
    """How a file is sent when nobody says: as what its type says it is."""
    given = bare_type(content_type)
    if not given.startswith(NEVER_SHOWN):
        for kind in (AttachmentKind.IMAGE, AttachmentKind.VIDEO, AttachmentKind.AUDIO):
            if given.startswith(TYPES[kind]):
                return kind
    return AttachmentKind.DOCUMENT


def attached(file: StoredFile, wanted: Wanted) -> Attachment:
    """The file as a message carries it. Raises: FieldInvalid."""
    kind = wanted.kind or kind_of(file.content_type)
    given = bare_type(file.content_type)
    is_that = given.startswith(TYPES[kind]) and not given.startswith(NEVER_SHOWN)
    if kind is not AttachmentKind.DOCUMENT and not is_that:
        rule = f"must fit the file, which is {given}; leave it out or send it as a document"
        raise FieldInvalid(field="attachments.kind", rule=rule)
    return Attachment(file.media_id, kind, file.file_name, file.content_type, file.size_bytes)


def refuse_unless_carried(
    attachments: Sequence[Attachment], limits: AttachmentLimits, *, has_text: bool
) -> None:
    """Whether a channel takes these files.

    Raises: TooManyAttachments, AttachmentNotSupported, AttachmentTooLarge, CaptionNotSupported.
    """
    for attachment in attachments:
        _refuse_unless_taken(attachment, limits)
    if len(attachments) > limits.max_count:
        raise TooManyAttachments(count=len(attachments), max_count=limits.max_count)
    captioned = [limits.of(attachment.kind) for attachment in attachments]
    if has_text and not any(limit is not None and limit.has_caption for limit in captioned):
        raise CaptionNotSupported(kind=attachments[0].kind.value)


def _refuse_unless_taken(attachment: Attachment, limits: AttachmentLimits) -> None:
    limit = limits.of(attachment.kind)
    document = limits.of(AttachmentKind.DOCUMENT)
    fits_as_document = (
        attachment.kind is not AttachmentKind.DOCUMENT
        and document is not None
        and document.takes_type(attachment.content_type)
        and attachment.size_bytes <= document.max_size_bytes
    )
    if limit is None or not limit.takes_type(attachment.content_type):
        raise AttachmentNotSupported(
            kind=attachment.kind.value,
            content_type=attachment.content_type,
            fits_as_document=fits_as_document,
        )
    if attachment.size_bytes > limit.max_size_bytes:
        raise AttachmentTooLarge(
            kind=attachment.kind.value,
            size_bytes=attachment.size_bytes,
            max_size_bytes=limit.max_size_bytes,
            fits_as_document=fits_as_document,
        )
