"""Reading a serialised ServerFrame without decoding it.

Realtime puts position and previous first and the event's own bytes behind them, so a forwarder
needs three small things of a frame: where it stands, what it follows, and which kind it is.
"""

from __future__ import annotations

from typing import NamedTuple

from inbox.realtime import v1 as realtime_v1

_FIELDS = realtime_v1.ServerFrame.DESCRIPTOR.fields_by_name

POSITION: int = _FIELDS["position"].number
PREVIOUS: int = _FIELDS["previous"].number
RESYNC_REQUIRED: int = _FIELDS["resync_required"].number
PRESENT_MEMBERS: int = _FIELDS["present_members"].number
PRESENCE: int = _FIELDS["presence"].number
AI_WRITING: int = _FIELDS["ai_writing"].number
MESSAGE_CREATED: int = _FIELDS["message_created"].number
DELIVERY_STATUS_CHANGED: int = _FIELDS["delivery_status_changed"].number
THREAD_ERASED: int = _FIELDS["thread_erased"].number
CONVERSATION_ERASED: int = _FIELDS["conversation_erased"].number
CONTACT_ERASED: int = _FIELDS["contact_erased"].number
MEMBER_CHANGED: int = _FIELDS["member_changed"].number
API_KEY_CHANGED: int = _FIELDS["api_key_changed"].number
SESSION_REVOKED: int = _FIELDS["session_revoked"].number

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BITS = 63


class WireInvalid(Exception):
    """The bytes are not a serialised message."""


class Head(NamedTuple):
    """What a forwarder needs of a frame."""

    position: str
    previous: str
    kind: int
    """The field number of the body; 0 when there is none."""


def head_of(raw: bytes) -> Head:
    """Read the beginning of a ServerFrame. Raises: WireInvalid."""
    position = previous = ""
    at, end = 0, len(raw)
    while at < end:
        key, at = _varint(raw, at)
        number = key >> 3
        if number > PREVIOUS:
            return Head(position, previous, number)
        value, at = _bytes(raw, at, key)
        if number == POSITION:
            position = value.decode(errors="replace")
        else:
            previous = value.decode(errors="replace")
    return Head(position, previous, 0)


def find(raw: bytes, *path: int) -> bytes | None:
    """The last value at a path of field numbers through nested messages. Raises: WireInvalid."""
    for wanted in path:
        value = _field(raw, wanted)
        if value is None:
            return None
        raw = value
    return raw


def _field(raw: bytes, wanted: int) -> bytes | None:
    found: bytes | None = None
    at, end = 0, len(raw)
    while at < end:
        key, at = _varint(raw, at)
        kind = key & 7
        if kind == BYTES:
            value, at = _bytes(raw, at, key)
            if key >> 3 == wanted:
                found = value
        elif kind == VARINT:
            _, at = _varint(raw, at)
        elif kind in {FIXED64, FIXED32}:
            at += 8 if kind == FIXED64 else 4
        else:
            raise WireInvalid("a group")
    return found


def _bytes(raw: bytes, at: int, key: int) -> tuple[bytes, int]:
    if key & 7 != BYTES:
        raise WireInvalid("a number where bytes belong")
    size, at = _varint(raw, at)
    end = at + size
    if end > len(raw):
        raise WireInvalid("cut short")
    return raw[at:end], end


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    try:
        byte = raw[at]
        if byte < 0x80:  # noqa: PLR2004 - the bit that says more bytes follow
            return byte, at + 1
        value, shift = byte & 0x7F, 7
        while shift <= MAX_VARINT_BITS:
            at += 1
            byte = raw[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004
                return value, at + 1
            shift += 7
    except IndexError:
        raise WireInvalid("cut short") from None
    raise WireInvalid("a number without an end")
