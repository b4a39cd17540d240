"""What customers send that is neither text nor a file: stored, shown, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from inbox.messaging import v1
from services.messaging.actions.history import read_page
from services.messaging.mapping.messages import message_to_proto
from services.messaging.model.message import Message
from services.messaging.model.special import (
    Choice,
    ContactCard,
    ContactCards,
    Location,
    Special,
    Unsupported,
)
from tests.service.messaging.platform_desk import CUSTOMER, PlatformDesk


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    return platform_desk


async def history(desk: PlatformDesk) -> Sequence[Message]:
    """Newest first."""
    page = await read_page(
        desk.app, desk.workspace_id, desk.conversation(), before_seq=0, after_seq=0, page_size=10
    )
    return page.messages


SENT: list[tuple[str, Any, Special, str]] = [
    (
        "location",
        {"latitude": 41.387, "longitude": 2.17, "name": "Shop", "address": "Gran Via 1"},
        Location(41.387, 2.17, "Shop", "Gran Via 1"),
        "Shop\nGran Via 1\n41.387000, 2.170000",
    ),
    (
        "contacts",
        [{"name": "Luis\x00", "phones": ["+34600111222"]}, {"name": "Eva", "emails": ["e@x.es"]}],
        ContactCards(
            (ContactCard("Luis", ("+34600111222",)), ContactCard("Eva", emails=("e@x.es",)))
        ),
        "Luis +34600111222\nEva e@x.es",
    ),
    (
        "button",
        {"title": "Yes, please", "payload": "confirm-7"},
        Choice("Yes, please", "confirm-7"),
        "Yes, please",
    ),
    ("order", {"items": 3}, Unsupported("order"), "[order]"),
    ("reaction", {"emoji": "x"}, Unsupported("reaction"), "[reaction]"),
]


@pytest.mark.parametrize(("kind", "details", "special", "words"), SENT)
async def test_each_kind_is_stored_once_in_its_place_and_says_itself_in_words(
    desk: PlatformDesk, kind: str, details: Any, special: Special, words: str
) -> None:
    await desk.customer_writes("before")
    desk.account.switches.duplicates = True
    desk.account.write(CUSTOMER, "", kind=kind, details=details)
    await desk.reports_come()
    await desk.customer_writes("after")

    after, sent, before = await history(desk)
    assert (before.text, sent.text, after.text) == ("before", words, "after")
    assert sent.special == special
    assert (before.special, after.special) == (None, None)
    assert sent.inbound_ordinal == 2


async def test_a_place_outside_of_the_map_is_kept_apart_and_stops_nobody(
    desk: PlatformDesk,
) -> None:
    desk.account.write(CUSTOMER, "", kind="location", details={"latitude": 91, "longitude": 0})
    await desk.reports_come()

    await desk.customer_writes("still here")

    assert await desk.texts() == ["still here"]
    kept = await desk.rows("SELECT last_error FROM webhook_items WHERE state = 'kept'")
    assert len(kept) == 1


@pytest.mark.parametrize(("kind", "details", "special", "words"), SENT)
async def test_its_event_tells_the_whole_message(
    desk: PlatformDesk, kind: str, details: Any, special: Special, words: str
) -> None:
    desk.account.write(CUSTOMER, "", kind=kind, details=details)
    await desk.reports_come()

    rows = await desk.rows(
        "SELECT payload FROM outbox WHERE workspace_id = $1 AND subject LIKE $2",
        desk.workspace_id,
        "%.message_created.%",
    )
    (told,) = [v1.MessageCreated.FromString(row[0]).message for row in rows]
    (stored,) = await history(desk)
    assert told == message_to_proto(stored)
    assert told.WhichOneof("special")
