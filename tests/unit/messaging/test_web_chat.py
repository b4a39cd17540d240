"""Visitors of a chat box: identity, embedding sites, acknowledgements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid
from chassis.ids import new_secret
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.faults import OriginNotAllowed
from services.messaging.model.web_chat import (
    Marks,
    canonical_origin,
    external_id_of,
    newly_acknowledged,
    raised,
    refuse_unless_embeddable,
    refuse_unless_secret,
)
from tests.unit.messaging.builders import CHANNEL

SEQ = st.integers(0, 60)


def test_a_visitors_identity_does_not_give_the_secret_away() -> None:
    secret = "iv_" + new_secret()

    external_id = external_id_of(CHANNEL, secret)

    assert external_id == external_id_of(CHANNEL, secret)
    assert secret not in external_id
    assert external_id != external_id_of(CHANNEL, "iv_" + new_secret())


def test_a_secret_of_ours_is_told_from_anything_else() -> None:
    refuse_unless_secret("iv_" + new_secret())
    for other in ("iv_", "x", "iv_" + "a" * 42, "iv_" + "a" * 44, "ik_" + "a" * 43):
        with pytest.raises(FieldInvalid):
            refuse_unless_secret(other)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("https://Shop.Example", "https://shop.example"),
        ("https://shop.example:443/", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://localhost:8080/chat?x", "http://localhost:8080"),
        ("https://[::1]:9", "https://[::1]:9"),
        ("null", ""),
        ("javascript:alert(1)", ""),
        ("https://user@shop.example", ""),
        ("https://shop.example:notaport", ""),
        ("", ""),
    ],
)
def test_origins_are_compared_as_browsers_send_them(given: str, canonical: str) -> None:
    assert canonical_origin(given) == canonical


def test_only_listed_sites_and_our_own_page_show_the_box() -> None:
    allowed = ("https://shop.example", "not an origin")

    refuse_unless_embeddable("", allowed)
    refuse_unless_embeddable("https://SHOP.example:443", allowed)
    for other in ("https://evil.example", "http://shop.example", "null", "not an origin"):
        with pytest.raises(OriginNotAllowed):
            refuse_unless_embeddable(other, allowed)


@given(st.lists(st.tuples(SEQ, SEQ), max_size=20), SEQ)
def test_marks_only_rise_and_read_implies_delivered(
    steps: list[tuple[int, int]], last_seq: int
) -> None:
    marks = Marks()
    told: dict[int, DeliveryStatus] = {}
    for delivered, read in steps:
        after = raised(marks, delivered_up_to_seq=delivered, read_up_to_seq=read, last_seq=last_seq)
        assert after.delivered_up_to_seq >= marks.delivered_up_to_seq
        assert after.read_up_to_seq >= marks.read_up_to_seq
        assert after.read_up_to_seq <= after.delivered_up_to_seq <= last_seq
        for stretch in newly_acknowledged(marks, after):
            for seq in range(stretch.after_seq + 1, stretch.up_to_seq + 1):
                assert told.get(seq, DeliveryStatus.QUEUED) < stretch.status
                told[seq] = stretch.status
        marks = after
    read_up_to = min(last_seq, max((read for _, read in steps), default=0))
    reached = min(last_seq, max((max(step) for step in steps), default=0))
    for seq in range(1, last_seq + 1):
        if seq <= read_up_to:
            assert told[seq] is DeliveryStatus.READ
        elif seq <= reached:
            assert told[seq] is DeliveryStatus.DELIVERED
        else:
            assert seq not in told
