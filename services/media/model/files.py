"""Files, and what is believed of the words that come with them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import FieldInvalid, InvalidArgument, NotFound, OutOfRange, Unavailable
from chassis.ids import WorkspaceId
from services.media.model import sniffing

MAX_MEDIA_BYTES = 2 * 1024 * 1024 * 1024
MAX_FILE_NAME_CHARACTERS = 255
MAX_SUFFIX_CHARACTERS = 16
UNNAMED = "file"
# RFC 9110 calls this a token; parameters as in "audio/ogg; codecs=opus".
WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
CONTENT_TYPE = re.compile(rf"{WORD}/{WORD}(; ?{WORD}=({WORD}|\"[^\"\\\x00-\x1f\x7f]*\"))*")
MAX_CONTENT_TYPE_CHARACTERS = 127
SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an upload says it is going to be."""

    request_id: str
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    """Empty when it was not given."""


@dataclass(frozen=True, slots=True)
class Media:
    """One stored file."""

    id: str
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    create_time: datetime
    sniffed_type: str = sniffing.UNKNOWN
    """What the bytes are; this is served, the announced `content_type` never is."""


@dataclass(eq=False)
class MediaNotFound(NotFound):
    """No such file, or not for this caller."""

    media_id: str
    reason = "MEDIA_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no file {self.media_id} for this credential"


@dataclass(eq=False)
class MediaMismatch(InvalidArgument):
    """The bytes that came are not the ones that were announced."""

    field: str
    announced: str
    received: str
    reason = "MEDIA_MISMATCH"

    def __str__(self) -> str:
        return (
            f"{self.field}: {self.announced} was announced, {self.received} came; "
            "nothing was stored, upload it again"
        )


@dataclass(eq=False)
class MediaTooLarge(InvalidArgument):
    """The file is larger than a file may be."""

    size_bytes: int
    max_bytes: int = MAX_MEDIA_BYTES
    reason = "TOO_LARGE"

    def __str__(self) -> str:
        return f"the file has {self.size_bytes} bytes; at most {self.max_bytes} are allowed"


@dataclass(eq=False)
class OffsetBeyondEnd(OutOfRange):
    """A download was to start behind the file's end."""

    offset_bytes: int
    size_bytes: int
    reason = "INVALID_ARGUMENT"

    def __str__(self) -> str:
        return f"offset_bytes {self.offset_bytes} is behind the file's {self.size_bytes} bytes"


@dataclass(eq=False)
class BytesMissing(Unavailable):
    """The file is known but the store does not have its bytes: an operator must look."""

    media_id: str

    def __str__(self) -> str:
        return f"the bytes of file {self.media_id} are not in the store for the moment"


def announce(
    *, request_id: str, file_name: str, content_type: str, size_bytes: int, sha256: str
) -> Announcement:
    """What an upload's header says, checked and made harmless.

    Raises: FieldInvalid, MediaTooLarge.
    """
    if size_bytes < 0:
        raise FieldInvalid("header.size_bytes", "must not be negative")
    if size_bytes > MAX_MEDIA_BYTES:
        raise MediaTooLarge(size_bytes)
    digest = sha256.lower()
    if digest and not SHA256.fullmatch(digest):
        raise FieldInvalid("header.sha256", "must be 64 hexadecimal digits, or empty")
    return Announcement(
        request_id=request_id,
        file_name=harmless_name(file_name),
        content_type=checked_type(content_type),
        size_bytes=size_bytes,
        sha256=digest,
    )


def harmless_name(given: str) -> str:
    """A name to show and to offer for saving: no path, nothing invisible, not too long.

    It never names anything on our side; bytes are found by their content.
    """
    last = re.split(r"[/\\]", given)[-1]
    # Categories C*: controls, and the invisible characters that turn "gpj.exe" around.
    visible = "".join(c for c in last if not unicodedata.category(c).startswith("C"))
    name = unicodedata.normalize("NFC", visible).strip(" .") or UNNAMED
    if len(name) <= MAX_FILE_NAME_CHARACTERS:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > MAX_SUFFIX_CHARACTERS:
        return name[:MAX_FILE_NAME_CHARACTERS]
    return stem[: MAX_FILE_NAME_CHARACTERS - len(suffix) - 1] + dot + suffix


def checked_type(given: str) -> str:
    """The announced type; what is served follows the bytes, not this. Raises: FieldInvalid."""
    if not given:
        return sniffing.UNKNOWN
    if len(given) > MAX_CONTENT_TYPE_CHARACTERS or not CONTENT_TYPE.fullmatch(given):
        raise FieldInvalid("header.content_type", 'must be a media type such as "image/png"')
    essence, semicolon, parameters = given.partition(";")
    return essence.lower() + semicolon + parameters


def check_received(announced: Announcement, *, size_bytes: int, sha256: str) -> None:
    """Compare what came with what was announced. Raises: MediaMismatch."""
    if size_bytes != announced.size_bytes:
        raise MediaMismatch("size_bytes", str(announced.size_bytes), str(size_bytes))
    if announced.sha256 not in ("", sha256):
        raise MediaMismatch("sha256", announced.sha256, sha256)


def says_the_same(media: Media, announced: Announcement, sha256: str) -> bool:
    """Whether a stored file is what a repeated upload brought."""
    return (media.file_name, media.content_type, media.size_bytes, media.sha256) == (
        announced.file_name,
        announced.content_type,
        announced.size_bytes,
        sha256,
    )


def is_shown_inline(media: Media, *, is_for_saving: bool) -> bool:
    """Whether a page may show it in place; what could act is always saved instead."""
    return media.sniffed_type in sniffing.SHOWN and not is_for_saving


def blob_key(workspace_id: WorkspaceId, sha256: str) -> str:
    """Where a file's bytes lie; equal bytes are kept once per workspace and never across.

    Made of a UUID and a digest only, so nothing a person typed can choose a path (I16).
    """
    return f"{workspace_id}/{sha256}"


def byte_range(media: Media, offset_bytes: int, limit_bytes: int) -> range:
    """The bytes a download is to hold. Raises: FieldInvalid, OffsetBeyondEnd."""
    if offset_bytes < 0:
        raise FieldInvalid("offset_bytes", "must not be negative")
    if limit_bytes < 0:
        raise FieldInvalid("limit_bytes", "must not be negative")
    if offset_bytes > media.size_bytes:
        raise OffsetBeyondEnd(offset_bytes, media.size_bytes)
    end = media.size_bytes if limit_bytes == 0 else offset_bytes + limit_bytes
    return range(offset_bytes, min(end, media.size_bytes))
