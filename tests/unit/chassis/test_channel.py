"""How calls to other services leave this process."""

from __future__ import annotations

import pytest

from chassis import tracing
from chassis.rpc.channel import AddressesMixed, Credential, target_of


@pytest.mark.parametrize(
    ("addresses", "target"),
    [
        (["127.0.0.1:1"], "ipv4:///127.0.0.1:1"),
        (["10.0.0.1:1", "10.0.0.2:2"], "ipv4:///10.0.0.1:1,10.0.0.2:2"),
        (["[::1]:1", "[fe80::1]:2"], "ipv6:///[::1]:1,[fe80::1]:2"),
        (["identity:7102"], "dns:///identity:7102"),
    ],
)
def test_one_target_stands_for_all_replicas(addresses: list[str], target: str) -> None:
    assert target_of(addresses) == target


def test_names_and_addresses_are_not_mixed() -> None:
    with pytest.raises(AddressesMixed):
        target_of(["identity:1", "10.0.0.1:1"])


def test_during_a_change_of_keys_the_new_one_is_shown() -> None:
    shown = dict(Credential("messaging", "service.new, service.old").metadata())

    assert shown == {"authorization": "Bearer service.new", "x-inbox-service": "messaging"}


def test_a_trace_goes_on_and_nonsense_begins_a_new_one() -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    going_on = tracing.enter(header)
    fresh = [tracing.enter(bad) for bad in (None, "", "x", header[:-1], "00-" + "0" * 32)]

    assert going_on.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert going_on.span_id != "b7ad6b7169203331"
    assert len({trace.trace_id for trace in fresh}) == len(fresh)
    assert tracing.parse(tracing.traceparent()) == fresh[-1]
