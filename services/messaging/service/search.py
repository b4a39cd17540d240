"""Searches: request to query, page to answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from chassis import paging, requests
from chassis.auth import Caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from inbox.messaging import v1
from services.messaging.actions import search
from services.messaging.mapping.search import direction_from, found_to_proto, time_from
from services.messaging.mapping.times import EPOCH, timestamp
from services.messaging.model.search import (
    MAX_QUERY_CHARACTERS,
    SearchPlace,
    SearchQuery,
    SearchRank,
    words_sought,
)
from services.messaging.service.means import Means

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 50
MICROSECOND = timedelta(microseconds=1)


async def search_messages(
    means: Means, caller: Caller, request: v1.SearchMessagesRequest
) -> v1.SearchMessagesResponse:
    """Serve SearchMessages."""
    query = _query_from(request)
    page_size = requests.page_size(
        request.page_size, default=DEFAULT_PAGE_SIZE, at_most=MAX_PAGE_SIZE
    )
    asked = ("SearchMessages", *_values(query))
    position = paging.position_in(request.page_token, asked, (SearchRank, _time_of, _uuid_of))
    fresh = await search.freshness(means.worker, means.clock)
    page = await search.search_messages(
        means.app,
        caller.workspace,
        query,
        after=SearchPlace(*position) if position else None,
        page_size=page_size,
    )
    place = page.next_place
    return v1.SearchMessagesResponse(
        messages=[found_to_proto(hit.message, hit.snippet, hit.rank) for hit in page.hits],
        next_page_token=paging.next_token(asked, _position_of(place)) if place else "",
        indexed_up_to_time=None if fresh.up_to is None else timestamp(fresh.up_to),
        is_rebuilding=fresh.is_rebuilding,
    )


def _query_from(request: v1.SearchMessagesRequest) -> SearchQuery:
    text = requests.required("query", request.query)
    if len(text) > MAX_QUERY_CHARACTERS:
        raise FieldInvalid(
            field="query", rule=f"must have at most {MAX_QUERY_CHARACTERS} characters"
        )
    query = SearchQuery(
        words=words_sought(text),
        conversation_id=_id_or_none("conversation_id", request.conversation_id),
        channel_id=_id_or_none("channel_id", request.channel_id),
        direction=direction_from("direction", request.direction),
        since=time_from("since_time", request.since_time)
        if request.HasField("since_time")
        else None,
        until=time_from("until_time", request.until_time)
        if request.HasField("until_time")
        else None,
    )
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise FieldInvalid(field="until_time", rule="must be after since_time")
    return query


def _id_or_none(field: str, value: str) -> str:
    return parse_id(field, value) if value else ""


def _values(query: SearchQuery) -> tuple[object, ...]:
    return (
        *query.words,
        query.conversation_id,
        query.channel_id,
        query.direction,
        query.since,
        query.until,
    )


def _position_of(place: SearchPlace) -> tuple[int, int, str]:
    return place.rank.value, (place.create_time - EPOCH) // MICROSECOND, place.message_id


def _time_of(microseconds: int) -> datetime:
    return EPOCH + microseconds * MICROSECOND


def _uuid_of(text: str) -> str:
    return str(UUID(text))
