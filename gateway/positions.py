"""Resume positions, opened only where two of them must be compared.

A position says per source stream how far it was read. Two gateways read the streams interleaved
in their own ways, so a client's position need not be one this hub ever stood at; it is before,
after, or beside it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from google.protobuf.message import DecodeError

from inbox.realtime import v1 as realtime_v1

MAX_CHARACTERS = 4096

Stream = tuple[str, str]
"""A stream's name and the epoch of its log: another epoch is another stream."""
Vector = Mapping[Stream, int]


def read(position: str) -> Vector | None:
    """What an opaque position holds; None when it is not one of ours."""
    if not position or len(position) > MAX_CHARACTERS:
        return None
    try:
        raw = base64.b64decode(position + "=" * (-len(position) % 4), altchars=b"-_", validate=True)
        streams = realtime_v1.Position.FromString(raw).streams
    except (binascii.Error, ValueError, DecodeError):
        return None
    return {(stream.stream, stream.log_epoch): stream.gpos for stream in streams}


def write(vector: Vector) -> str:
    """The position for a vector, spelt as realtime spells it."""
    position = realtime_v1.Position(
        streams=[
            realtime_v1.StreamPosition(stream=name, log_epoch=epoch, gpos=gpos)
            for (name, epoch), gpos in sorted(vector.items())
        ]
    )
    return base64.urlsafe_b64encode(position.SerializeToString()).decode().rstrip("=")


def covers(later: Vector, earlier: Vector) -> bool:
    """Whether everything read at `earlier` had been read at `later` too."""
    return later.keys() == earlier.keys() and all(
        later[stream] >= gpos for stream, gpos in earlier.items()
    )


def join(one: Vector, other: Vector) -> Vector:
    """Where someone stands who has read both; the streams must be the same."""
    return {stream: max(gpos, other[stream]) for stream, gpos in one.items()}
