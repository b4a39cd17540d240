"""Reading the simulator's webhooks: anything may come, nothing raises, items stand alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.messaging.channels.calls import PlatformCalls
from services.messaging.channels.port import EchoedText, InboundText, StatusReport, UnknownItem
from services.messaging.channels.signatures import is_signed
from services.messaging.channels.simulator import MAX_ID_LENGTH, SimulatorChannel
from services.messaging.model.connect import Credentials
from services.messaging.model.delivery import DeliveryStatus, Failure, FailureReason
from suite.simulator.webhooks import sign
from tests.malice import input_count, tries_many

pytestmark = pytest.mark.unit

CHANNEL = SimulatorChannel(PlatformCalls())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "type",
    "id",
    "app",
    "message_id",
    "from",
    "to",
    "text",
    "kind",
    "location",
    "contacts",
    "button",
    "time",
    "status",
    "error",
    "name",
)
WORDS = ["message", "status", "echo", "sent", "failed", {"id": "ana"}, {"body": "hola"}]
KINDS = ["location", "contacts", "button", {"latitude": 10**400}, [{"name": "\x00a"}]]
EVENTS = st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from([*WORDS, *KINDS]))


def read(*events: Any) -> list[Any]:
    return [item for item, _ in CHANNEL.read(json.dumps({"events": events}).encode())]


@pytest.mark.parametrize(("app", "is_ours"), [("phone", False), ("api", True), (None, True)])
def test_an_echo_is_read_as_ours_unless_it_names_the_phone(app: str | None, is_ours: bool) -> None:
    (item,) = read(
        {
            "type": "echo",
            "id": "e1",
            "message_id": "m1",
            "app": app,
            "to": "ana",
            "text": {"body": "hola"},
            "time": "2026-11-02T09:00:00.250Z",
        }
    )

    assert item == EchoedText(
        dedupe_key="event:e1",
        external_id="ana",
        platform_message_id="m1",
        callback_data="",
        text="hola",
        platform_time=datetime(2026, 11, 2, 9, 0, 0, 250_000, UTC),
        is_ours=is_ours,
    )


def test_a_message_is_read() -> None:
    (item,) = read(
        {
            "type": "message",
            "id": "e1",
            "message_id": "m1",
            "from": {"id": "ana", "name": "  Ana\nTorres 👩‍👧 "},
            "text": {"body": "hola"},
            "time": "2026-11-02T09:00:00.250Z",
        }
    )

    assert item == InboundText(
        dedupe_key="event:e1",
        external_id="ana",
        customer_name="AnaTorres 👩‍👧",
        platform_message_id="m1",
        text="hola",
        platform_time=datetime(2026, 11, 2, 9, 0, 0, 250_000, UTC),
    )


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("sent", DeliveryStatus.SENT),
        ("delivered", DeliveryStatus.DELIVERED),
        ("read", DeliveryStatus.READ),
    ],
)
def test_a_status_is_read(status: str, meaning: DeliveryStatus) -> None:
    (item,) = read(
        {"type": "status", "id": "e", "message_id": "m", "to": "ana", "status": status,
         "callback_data": "ours", "time": "2026-11-02T09:00:00Z"}
    )  # fmt: skip

    assert isinstance(item, StatusReport)
    assert (item.status, item.callback_data, item.failure) == (meaning, "ours", None)


def test_a_failure_has_its_reason() -> None:
    (item,) = read(
        {"type": "status", "id": "e", "message_id": "m", "status": "failed",
         "error": {"code": "recipient_unavailable"}}
    )  # fmt: skip

    assert isinstance(item, StatusReport)
    assert item.failure == Failure(
        FailureReason.RECIPIENT_UNAVAILABLE, "recipient_unavailable", is_retryable=False
    )


@tries_many
@settings(max_examples=input_count(500), deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_raising(body: bytes) -> None:
    CHANNEL.read(body)


@tries_many
@settings(max_examples=input_count(200), deadline=None)
@given(st.lists(EVENTS | JSON, max_size=5))
def test_any_events_are_read_one_by_one_and_can_be_stored(events: list[Any]) -> None:
    found = CHANNEL.read(json.dumps({"events": events}).encode())

    assert len(found) == len(events)
    for item, raw in found:
        assert CHANNEL.read_item(raw) == item
        assert 0 < len(item.dedupe_key) <= MAX_ID_LENGTH + len("event:")
        stored = f"{item.dedupe_key} {item.external_id}"
        assert "\x00" not in stored
        stored.encode()
        if isinstance(item, InboundText):
            item.text.encode()
            item.customer_name.encode()
        if isinstance(item, UnknownItem):
            assert item.reason


def test_only_a_signature_by_one_of_the_secrets_counts() -> None:
    body = b'{"events": []}'
    both = Credentials("token", "new", "old")

    assert is_signed(both, sign("new", body), body)
    assert is_signed(both, sign("old", body), body)
    assert not is_signed(both, sign("other", body), body)
    assert not is_signed(both, sign("new", body).removeprefix("sha256="), body)
    assert not is_signed(Credentials("token", ""), sign("", body), body)
    assert not is_signed(both, sign("new", body), body + b" ")
