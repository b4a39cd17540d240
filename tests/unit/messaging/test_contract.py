"""Names that must be the same in model, SQL and contract."""

from __future__ import annotations

import inspect

from chassis.errors import Fault
from inbox.error import v1 as error_v1
from inbox.messaging import v1
from services.messaging import events
from services.messaging.mapping.errors import error_to_proto
from services.messaging.mapping.messages import STATUSES, message_to_proto
from services.messaging.mapping.search import RANKS
from services.messaging.mapping.visitors import message_to_visitor
from services.messaging.model import attachment_faults, faults
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.message import Author, AuthorKind, MessageId, appended
from services.messaging.model.search import SearchRank
from tests.unit.messaging.builders import NOON, a_thread

FAULTS = [
    kind
    for module in (faults, attachment_faults)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Fault) and kind.__module__ == module.__name__
]


def test_every_fault_has_a_reason_of_the_contract_and_says_the_way_out() -> None:
    assert FAULTS
    for kind in FAULTS:
        given = inspect.signature(kind).parameters
        error = error_to_proto(kind(**dict.fromkeys(given, 1)))
        assert error.reason != error_v1.REASON_INTERNAL
        assert error.message


def test_statuses_have_the_contracts_numbers_so_that_ranks_compare() -> None:
    for status in DeliveryStatus:
        name = v1.DeliveryStatus.Name(STATUSES[status])
        assert name == f"DELIVERY_STATUS_{status.name}"
        assert STATUSES[status] == status.value


def test_ranks_of_a_search_have_the_contracts_numbers() -> None:
    for rank in SearchRank:
        assert v1.SearchRank.Name(RANKS[rank]) == f"SEARCH_RANK_{rank.name}"


def test_every_published_event_is_a_field_of_the_browsers_frame() -> None:
    for name, kind in events.PUBLISHES.items():
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.DESCRIPTOR.name)
        assert snake.lstrip("_") == name


def test_a_visitor_never_sees_who_a_member_is() -> None:
    author = Author(AuthorKind.MEMBER, "member-id", "María")
    _, message = appended(
        a_thread(),
        message_id=MessageId("message-id"),
        client_message_id="agents-client-id",
        author=author,
        text="hola",
        at=NOON,
    )

    seen = message_to_visitor(message)

    assert seen.author_display_name == "María"
    assert seen.author_kind == v1.VISITOR_AUTHOR_KIND_AGENT
    assert b"member-id" not in seen.SerializeToString()
    assert b"agents-client-id" not in seen.SerializeToString()
    assert message_to_proto(message).author.id == "member-id"
