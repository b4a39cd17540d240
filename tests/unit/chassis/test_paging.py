"""Page tokens."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import PageTokenInvalid
from chassis.ids import new_id
from chassis.paging import next_token, position_in

QUERY = ("ListThings", "workspace", "open")
PARSERS = (datetime.fromisoformat, lambda value: str(UUID(value)))


def test_a_token_leads_back_to_its_place() -> None:
    at, row = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC), new_id()

    assert position_in(next_token(QUERY, (at.isoformat(), row)), QUERY, PARSERS) == (at, row)


def test_no_token_is_the_first_page() -> None:
    assert position_in("", QUERY, PARSERS) is None


def test_a_token_of_another_query_is_refused() -> None:
    token = next_token(("ListThings", "workspace", "solved"), ("2026-11-02", new_id()))

    with pytest.raises(PageTokenInvalid):
        position_in(token, QUERY, PARSERS)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_whatever_comes_in_is_a_token_or_refused(token: str) -> None:
    if not token:
        return
    with pytest.raises(PageTokenInvalid):
        position_in(token, QUERY, PARSERS)


@pytest.mark.parametrize(
    "position", [(), ("x",), ("2026-11-02", 7), ("2026-11-02", "not-a-uuid"), (1, 2, 3)]
)
def test_a_token_with_other_content_is_refused(position: tuple[str | int, ...]) -> None:
    with pytest.raises(PageTokenInvalid):
        position_in(next_token(QUERY, position), QUERY, PARSERS)
