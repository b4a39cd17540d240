"""Fields of requests are refused by name and rule."""

from __future__ import annotations

import pytest

from chassis.errors import FieldInvalid
from chassis.requests import no_nul, page_size, text
from inbox.error import v1 as error_v1
from inbox.identity import v1 as identity_v1


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x00b", "x" * 81, "\u202e evil"])
def test_a_name_is_one_printable_line(value: str) -> None:
    with pytest.raises(FieldInvalid):
        text("display_name", value)


def test_space_around_a_name_goes() -> None:
    assert text("display_name", "  Ana Núñez 🙂 ") == "Ana Núñez 🙂"


def test_page_sizes_are_clamped() -> None:
    assert [page_size(size) for size in (0, 1, 200, 2_000_000)] == [50, 1, 200, 200]
    with pytest.raises(FieldInvalid):
        page_size(-1)


def test_a_nul_is_found_in_nested_fields_and_in_maps() -> None:
    password = identity_v1.PasswordCredential(email="a\x00")
    nested = identity_v1.SignInRequest(password=password)
    in_map = error_v1.Error(metadata={"a": "b\x00"})

    with pytest.raises(FieldInvalid, match=r"password\.email"):
        no_nul(nested)
    with pytest.raises(FieldInvalid, match="metadata"):
        no_nul(in_map)
    no_nul(identity_v1.SignInRequest(link_token="fine"))
