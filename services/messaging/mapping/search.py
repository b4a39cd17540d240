"""Searches as protobuf."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import FieldInvalid
from inbox.messaging import v1
from services.messaging.mapping.messages import DIRECTIONS, author_to_proto
from services.messaging.mapping.times import timestamp
from services.messaging.model.message import Direction
from services.messaging.model.search import SEARCHED_DIRECTIONS, SearchableMessage, SearchRank
from services.messaging.model.snippet import Snippet

RANKS = {rank: v1.SearchRank.ValueType(rank.value) for rank in SearchRank}
DIRECTIONS_BACK = {DIRECTIONS[direction]: direction for direction in SEARCHED_DIRECTIONS}


def found_to_proto(
    message: SearchableMessage, snippet: Snippet, rank: SearchRank
) -> v1.FoundMessage:
    """A hit as the contract has it."""
    return v1.FoundMessage(
        message_id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        channel_id=message.channel_id,
        direction=DIRECTIONS[message.direction],
        author=author_to_proto(message.author),
        create_time=timestamp(message.create_time),
        snippet=snippet.text,
        highlights=[
            v1.Highlight(start=span.start, length=span.end - span.start)
            for span in snippet.highlights
        ],
        rank=RANKS[rank],
    )


def direction_from(field: str, value: v1.MessageDirection.ValueType) -> Direction | None:
    """A direction to look in; None for all. Raises: FieldInvalid."""
    if value == v1.MESSAGE_DIRECTION_UNSPECIFIED:
        return None
    direction = DIRECTIONS_BACK.get(value)
    if direction is None:
        raise FieldInvalid(field=field, rule="must be MESSAGE_DIRECTION_INBOUND or …_OUTBOUND")
    return direction


def time_from(field: str, value: Timestamp) -> datetime:
    """A time from a request. Raises: FieldInvalid."""
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise FieldInvalid(field=field, rule="must be a time of the years 1 to 9999") from None
