"""Points in time as protobuf has them."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def time_from(timestamp: Timestamp) -> datetime:
    """A time of ours."""
    return timestamp.ToDatetime(tzinfo=UTC)


def time_to(time: datetime) -> Timestamp:
    """A time for the wire."""
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
