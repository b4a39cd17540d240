"""Where a client's calls go, and what they show."""

from __future__ import annotations

import grpc
import pytest

from inbox_client.calls import Calls, credentials_for, is_this_machine


@pytest.mark.parametrize(
    "address",
    ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "dns:///localhost:8080", "unix:/run/inbox"],
)
def test_this_machine_is_spoken_to_in_the_clear(address: str) -> None:
    assert is_this_machine(address)
    assert credentials_for(address, None) is None
    assert credentials_for(address, tls=True) is not None


@pytest.mark.parametrize(
    "address", ["inbox.example.com:443", "10.0.0.7:8080", "localhost.example.com:80", "[fe80::1]:1"]
)
def test_a_key_leaves_this_machine_only_under_tls_unless_told_otherwise(address: str) -> None:
    assert not is_this_machine(address)
    assert credentials_for(address, None) is not None
    assert credentials_for(address, tls=False) is None


def test_certificates_of_ones_own_are_used() -> None:
    own = grpc.ssl_channel_credentials()

    assert credentials_for("localhost:1", own) is own


def test_the_key_goes_with_a_call_and_into_no_text() -> None:
    calls = Calls("ik_1.secret")

    assert calls.metadata([("x-request-id", "7")]) == (
        ("x-request-id", "7"),
        ("authorization", "Bearer ik_1.secret"),
    )
    assert calls.metadata([("authorization", "Bearer other")]) == (
        ("authorization", "Bearer other"),
    )
    assert "secret" not in repr(calls)
