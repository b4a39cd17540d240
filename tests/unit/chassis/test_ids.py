"""Ids that a repeat must find again."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from chassis.ids import derived_id, parse_id


def test_the_same_parts_give_the_same_valid_uuid() -> None:
    made = derived_id("contact", "channel", "customer")

    assert made == derived_id("contact", "channel", "customer") == parse_id("id", made)
    assert made != derived_id("contact", "channelcustomer", "")
    assert UUID(made).version == 8
    assert UUID(made).variant == RFC_4122
