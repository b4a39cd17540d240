"""DeadLetterService: what a service's consumers could not apply, and the way to try it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import paging, parking
from chassis.clock import Clock, SystemClock
from chassis.database import Database
from chassis.requests import page_size, required
from inbox.event import v1 as event_v1

MAX_PAGE = 500
STATES = {
    "retrying": event_v1.PARKED_STATE_RETRYING,
    "queued": event_v1.PARKED_STATE_QUEUED,
    "dead": event_v1.PARKED_STATE_DEAD,
}

LIST = """
SELECT consumer, stream, gpos, subject, ordering_key, state, attempt_count, last_error, park_time,
       next_attempt_time
FROM parked_events
WHERE ($1 = '' OR consumer = $1) AND (consumer, gpos) > ($2, $3)
ORDER BY consumer, gpos LIMIT $4
"""


class DeadLetters(event_v1.DeadLetterServiceServicer):
    """Serves the parked events of one database."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        """`database` is the worker role's."""
        self._database = database
        self._clock = clock or SystemClock()

    async def ListDeadLetters(
        self, request: event_v1.ListDeadLettersRequest, context: Any
    ) -> event_v1.ListDeadLettersResponse:
        """List parked events, oldest first."""
        count = page_size(request.page_size, at_most=MAX_PAGE)
        query = ("ListDeadLetters", request.consumer)
        after = paging.position_in(request.page_token, query, (str, int)) or ("", -(2**62))
        async with self._database.begin() as transaction:
            rows = await transaction.raw.fetch(LIST, request.consumer, *after, count + 1)
        page = rows[:count]
        token = ""
        if len(rows) > count:
            token = paging.next_token(query, (page[-1]["consumer"], page[-1]["gpos"]))
        return event_v1.ListDeadLettersResponse(
            dead_letters=[_message(row) for row in page], next_page_token=token
        )

    async def RedriveDeadLetters(
        self, request: event_v1.RedriveDeadLettersRequest, context: Any
    ) -> event_v1.RedriveDeadLettersResponse:
        """Have dead events tried again; a repeat changes nothing."""
        consumer = required("consumer", request.consumer)
        async with self._database.begin() as transaction:
            count = await parking.redrive(
                transaction, consumer, request.ordering_key, self._clock.now()
            )
        return event_v1.RedriveDeadLettersResponse(redriven_count=count)


def _message(row: asyncpg.Record) -> event_v1.DeadLetter:
    return event_v1.DeadLetter(
        consumer=row["consumer"],
        stream=row["stream"],
        gpos=row["gpos"],
        subject=row["subject"],
        ordering_key=row["ordering_key"],
        state=STATES[row["state"]],
        attempt_count=row["attempt_count"],
        last_error=row["last_error"],
        park_time=_timestamp(row["park_time"]),
        next_attempt_time=_timestamp(row["next_attempt_time"]),
    )


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
