"""What a file's first bytes say it is. Its name and its announced type are not believed.

Nothing that a browser would execute is ever named here: HTML, SVG and scripts are plain text.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator

HEAD_BYTES = 4096
"""How much of a file's beginning is looked at."""
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"


class Kind(enum.Enum):
    """How a file is shown; values are the contract's names."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"


SHOWN = {
    "image/png": Kind.IMAGE,
    "image/jpeg": Kind.IMAGE,
    "image/gif": Kind.IMAGE,
    "image/webp": Kind.IMAGE,
    "video/mp4": Kind.VIDEO,
    "video/webm": Kind.VIDEO,
    "video/ogg": Kind.VIDEO,
    "audio/ogg": Kind.AUDIO,
    "audio/mpeg": Kind.AUDIO,
    "audio/mp4": Kind.AUDIO,
}
"""What a page may show in place; everything else is only saved."""

BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x1f\x8b\x08", "application/gzip"),
)
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"3gp4": "video/3gpp",
    b"3gp5": "video/3gpp",
    b"3gp6": "video/3gpp",
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6"), "video/mp4"),
    **dict.fromkeys((b"mp41", b"mp42", b"avc1", b"M4V ", b"dash", b"MSNV"), "video/mp4"),
}
"""The major brand of ISO base media files."""
OFFICE = "application/vnd.openxmlformats-officedocument"
OFFICE_FOLDERS = {
    b"word/": f"{OFFICE}.wordprocessingml.document",
    b"xl/": f"{OFFICE}.spreadsheetml.sheet",
    b"ppt/": f"{OFFICE}.presentationml.presentation",
}
# Of an MPEG audio frame's second and third byte.
LAYER_BITS, LAYER_3 = 0b110, 0b010
VERSION_BITS, VERSION_RESERVED = 0b11000, 0b01000
FULL_SYNC = 0b11100000
ADTS_BITS, ADTS = 0b11110110, 0b11110000
HEADER_OF_FRAME = 4
BAD_RATE = 0b1111
BAD_FREQUENCY = 0b11
LAST_CONTROL = 0x20
ALLOWED_CONTROLS = frozenset("\t\n\r\f\x1b")


def sniff(head: bytes, *, is_whole: bool) -> str:
    """The type of a file that begins so. `is_whole` says that nothing follows."""
    return next(_guesses(head, is_whole=is_whole), UNKNOWN)


def kind_of(sniffed_type: str) -> Kind:
    """How a file of this type is shown."""
    return SHOWN.get(sniffed_type, Kind.DOCUMENT)


def _guesses(head: bytes, *, is_whole: bool) -> Iterator[str]:
    yield from (name for beginning, name in BEGINNINGS if head.startswith(beginning))
    looks: tuple[Callable[[bytes], str], ...] = (_riff, _iso, _matroska, _ogg, _zip, _frames)
    yield from filter(None, (look(head) for look in looks))
    if _is_text(head, is_whole=is_whole):
        yield TEXT


def _riff(head: bytes) -> str:
    return RIFF.get(head[8:12], "") if head.startswith(b"RIFF") else ""


def _iso(head: bytes) -> str:
    return BRANDS.get(head[8:12], "") if head[4:8] == b"ftyp" else ""


def _matroska(head: bytes) -> str:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return ""
    return "video/webm" if b"\x42\x82\x84webm" in head[:64] else "video/x-matroska"


def _ogg(head: bytes) -> str:
    if not head.startswith(b"OggS\x00\x02"):
        return ""
    return "video/ogg" if b"\x80theora" in head else "audio/ogg"


def _zip(head: bytes) -> str:
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ""
    if b"[Content_Types].xml" in head:
        for folder, name in OFFICE_FOLDERS.items():
            if folder in head:
                return name
    return "application/zip"


def _frames(head: bytes) -> str:
    """Sound without a container begins with a frame at once."""
    if len(head) < HEADER_OF_FRAME or head[0] != 0xFF:  # noqa: PLR2004 - a sync byte
        return ""
    if head[1] & ADTS_BITS == ADTS:
        return "audio/aac"
    is_frame = (
        head[1] & FULL_SYNC == FULL_SYNC
        and head[1] & LAYER_BITS == LAYER_3
        and head[1] & VERSION_BITS != VERSION_RESERVED
        and head[2] >> 4 != BAD_RATE
        and head[2] >> 2 & BAD_FREQUENCY != BAD_FREQUENCY
    )
    return "audio/mpeg" if is_frame else ""


def _is_text(head: bytes, *, is_whole: bool) -> bool:
    if not head:
        return False
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        # The last character may have been cut in two by our own looking at the beginning only.
        cut = not is_whole and error.reason == "unexpected end of data"
        if not cut:
            return False
        text = head[: error.start].decode()
    return all(ord(c) >= LAST_CONTROL or c in ALLOWED_CONTROLS for c in text)
