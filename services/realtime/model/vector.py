"""Vectors: how far each source stream was read, in a fixed order."""

from __future__ import annotations

STREAMS = ("INBOX_ASSISTANT", "INBOX_CONVERSATION", "INBOX_IDENTITY", "INBOX_MESSAGING")
"""Sorted by name: two replicas that stand at one place spell it the same way."""

Vector = tuple[int, ...]
"""The newest position read of each of STREAMS."""
Life = tuple[str, ...]
"""Which life each of the streams' logs is in; vectors of different lives cannot be compared."""

NOWHERE: Life = ("",) * len(STREAMS)


def covers(later: Vector, earlier: Vector) -> bool:
    """Whether everything read at `earlier` had been read at `later` too."""
    return all(here >= there for here, there in zip(later, earlier, strict=True))


def joined(one: Vector, other: Vector) -> Vector:
    """Where someone stands who has read both."""
    return tuple(max(here, there) for here, there in zip(one, other, strict=True))
