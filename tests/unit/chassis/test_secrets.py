"""Sealed values open only with their key, for their purpose, unchanged."""

from __future__ import annotations

import base64

import pytest

from chassis.secrets import CannotOpen, MasterKeys

OLD = base64.b64encode(b"o" * 32).decode()
NEW = base64.b64encode(b"n" * 32).decode()


def test_what_was_sealed_opens_for_its_purpose_only() -> None:
    keys = MasterKeys(OLD)
    sealed = keys.seal(b"token", "channel 1")

    assert keys.open(sealed, "channel 1") == b"token"
    with pytest.raises(CannotOpen):
        keys.open(sealed, "channel 2")
    assert b"token" not in sealed


@pytest.mark.parametrize("place", [0, 1, 5, 20, -1])
def test_a_changed_byte_anywhere_is_noticed(place: int) -> None:
    keys = MasterKeys(OLD)
    sealed = bytearray(keys.seal(b"token", "x"))
    sealed[place] ^= 1

    with pytest.raises(CannotOpen):
        keys.open(bytes(sealed), "x")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 17, b"x" * 100])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        MasterKeys(OLD).open(sealed, "x")


def test_a_master_key_is_changed_without_losing_anything() -> None:
    data_key, wrapped = MasterKeys(OLD).new_data_key("w1")
    sealed = data_key.seal(b"token", "channel 1")

    both = MasterKeys(f"{NEW},{OLD}")
    again = both.seal(both.open(wrapped, "data key w1"), "data key w1")

    assert both.needs_wrapping_again(wrapped, "data key w1")
    assert not both.needs_wrapping_again(again, "data key w1")
    assert MasterKeys(NEW).data_key("w1", again).open(sealed, "channel 1") == b"token"


def test_a_data_key_belongs_to_its_workspace() -> None:
    _, wrapped = MasterKeys(OLD).new_data_key("w1")

    with pytest.raises(CannotOpen):
        MasterKeys(OLD).data_key("w2", wrapped)


def test_digests_differ_by_purpose_and_key_and_the_present_key_comes_first() -> None:
    both = list(MasterKeys(f"{NEW},{OLD}").macs("a", b"x"))

    assert both == [*MasterKeys(NEW).macs("a", b"x"), *MasterKeys(OLD).macs("a", b"x")]
    assert len({*both, *MasterKeys(NEW).macs("b", b"x")}) == 3
