"""What messaging refuses of files, each with the way out."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import Conflict, InvalidArgument, NotFound

AS_DOCUMENT = "send it as a document"


@dataclass(eq=False)
class MediaNotFound(NotFound):
    """No such file, or not for this caller."""

    media_id: str
    reason = "MEDIA_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no file {self.media_id}; upload it first"


@dataclass(eq=False)
class AttachmentNotSupported(InvalidArgument):
    """The channel does not take this kind or type of file."""

    kind: str
    content_type: str
    fits_as_document: bool
    field: str = "attachments"
    reason = "ATTACHMENT_NOT_SUPPORTED"

    def __str__(self) -> str:
        way_out = AS_DOCUMENT if self.fits_as_document else "see the channel's limits"
        return f"the channel takes no {self.kind} of type {self.content_type}; {way_out}"


@dataclass(eq=False)
class AttachmentTooLarge(InvalidArgument):
    """The file is larger than the channel takes."""

    kind: str
    size_bytes: int
    max_size_bytes: int
    fits_as_document: bool
    field: str = "attachments"
    reason = "ATTACHMENT_TOO_LARGE"

    def __str__(self) -> str:
        way_out = AS_DOCUMENT if self.fits_as_document else "send a smaller one"
        return (
            f"the {self.kind} has {self.size_bytes} bytes, the channel takes "
            f"{self.max_size_bytes}; {way_out}"
        )


@dataclass(eq=False)
class TooManyAttachments(InvalidArgument):
    """The message carries more files than the channel takes at once."""

    count: int
    max_count: int
    field: str = "attachments"
    reason = "TOO_MANY_ATTACHMENTS"

    def __str__(self) -> str:
        return (
            f"the message carries {self.count} files, the channel takes {self.max_count}; "
            "send the others in messages of their own"
        )


@dataclass(eq=False)
class CaptionNotSupported(InvalidArgument):
    """The channel takes no text with this kind of file."""

    kind: str
    field: str = "text"
    reason = "CAPTION_NOT_SUPPORTED"

    def __str__(self) -> str:
        return f"no text can come with a {self.kind} there; send it as a message of its own"


@dataclass(eq=False)
class AttachmentsOnlyByPeople(Conflict):
    """The AI sends no files."""

    conversation_id: str
    reason = "ATTACHMENTS_ONLY_BY_PEOPLE"

    def __str__(self) -> str:
        return f"only people send files in conversation {self.conversation_id}; hand it over first"
