"""A link is good for one file, for some minutes, under the suite's key."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import WorkspaceId, new_id
from services.media.model.links import Link, LinkExpired, LinkInvalid, LinkKeys, expire_time
from tests.fakes import START

KEYS = LinkKeys("service." + "k" * 40)
LINK = Link(WorkspaceId(new_id()), new_id(), expire_time(START), is_for_saving=False)


def test_a_link_is_read_as_it_was_written() -> None:
    assert KEYS.read(KEYS.write(LINK), START) == LINK


def test_a_link_ends() -> None:
    text = KEYS.write(LINK)

    assert KEYS.read(text, LINK.expire_time - timedelta(seconds=1)) == LINK
    with pytest.raises(LinkExpired):
        KEYS.read(text, LINK.expire_time)


def test_one_changed_bit_makes_it_none_of_ours() -> None:
    content = base64.urlsafe_b64decode(KEYS.write(LINK) + "=")
    for place in range(len(content)):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(LinkInvalid):
            KEYS.read(base64.urlsafe_b64encode(changed).decode().rstrip("="), START)


@given(st.text(max_size=120))
def test_nothing_that_was_not_signed_is_a_link(text: str) -> None:
    with pytest.raises(LinkInvalid):
        KEYS.read(text, START)


def test_a_change_of_the_key_spares_links_while_both_are_known() -> None:
    fresh = "service." + "f" * 40
    both = LinkKeys(f"{fresh}, service." + "k" * 40)

    assert both.read(KEYS.write(LINK), START) == LINK
    assert LinkKeys(fresh).read(both.write(LINK), START) == LINK
    with pytest.raises(LinkInvalid):
        LinkKeys(fresh).read(KEYS.write(LINK), START)


@given(st.integers(1_800_000_000, 4_000_000_000))
def test_links_live_ten_to_fifteen_minutes_and_are_equal_for_five(seconds: int) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    left = expire_time(now) - now

    assert timedelta(minutes=10) < left <= timedelta(minutes=15)
    assert expire_time(expire_time(now)) == expire_time(now) + timedelta(minutes=15)
