"""Logs carry types and places of errors, never their words."""

from __future__ import annotations

import pytest

from chassis.logs import describe


def test_an_exception_is_told_by_type_and_place() -> None:
    def look_up() -> None:
        raise KeyError("+4915112345678")

    def receive() -> None:
        try:
            look_up()
        except KeyError as cause:
            raise RuntimeError("what they wrote") from cause

    with pytest.raises(RuntimeError) as caught:
        receive()
    told = describe(caught.value)

    assert told["error"] == ["RuntimeError", "KeyError"]
    assert told["stack"][-1].endswith(" receive")
    assert "wrote" not in str(told)
    assert "4915" not in str(told)
