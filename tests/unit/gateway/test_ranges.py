"""RFC 9110 on parts of a file, and names by RFC 6266."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.downloads import disposition
from gateway.ranges import Outcome, Wanted, wanted

TAG = '"abc"'


def ask(size_bytes: int = 10, *, is_get: bool = True, **headers: str) -> Wanted:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return wanted(given, is_get=is_get, etag=TAG, size_bytes=size_bytes)


WHOLE = Wanted(Outcome.WHOLE, range(10))
OUTSIDE = Wanted(Outcome.OUTSIDE, range(0))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("bytes=0-0", Wanted(Outcome.PART, range(1))),
        ("bytes=0-9", Wanted(Outcome.PART, range(10))),
        ("bytes=0-", Wanted(Outcome.PART, range(10))),
        ("bytes=4-7", Wanted(Outcome.PART, range(4, 8))),
        ("Bytes = 4 - 7", WHOLE),
        ("BYTES=4-7", Wanted(Outcome.PART, range(4, 8))),
        ("bytes=4-999999999999999999", Wanted(Outcome.PART, range(4, 10))),
        ("bytes=-3", Wanted(Outcome.PART, range(7, 10))),
        ("bytes=-30", Wanted(Outcome.PART, range(10))),
        ("bytes=-0", OUTSIDE),
        ("bytes=10-", OUTSIDE),
        ("bytes=10-12,20-", OUTSIDE),
        ("bytes=20-30, 2-3", Wanted(Outcome.PART, range(2, 4))),
        ("bytes=0-1,4-5", WHOLE),
        ("bytes=7-4", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=1-2-3", WHOLE),
        ("bytes=0x1-2", WHOLE),
        ("bytes=" + "9" * 5000 + "-", WHOLE),
        ("lines=1-2", WHOLE),
    ],
)
def test_a_range_is_followed_or_left_alone(asked: str, answer: Wanted) -> None:
    assert ask(range=asked) == answer


def test_of_an_empty_file_there_is_no_part() -> None:
    assert ask(0) == Wanted(Outcome.WHOLE, range(0))
    assert ask(0, range="bytes=0-") == OUTSIDE
    assert ask(0, range="bytes=-5") == OUTSIDE


def test_a_range_is_for_get_alone() -> None:
    assert ask(is_get=False, range="bytes=0-0") == WHOLE


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"if_none_match": TAG}, Outcome.UNCHANGED),
        ({"if_none_match": f'"x", W/{TAG}'}, Outcome.UNCHANGED),
        ({"if_none_match": "*"}, Outcome.UNCHANGED),
        ({"if_none_match": '"x"'}, Outcome.WHOLE),
        ({"if_none_match": TAG, "range": "bytes=0-0"}, Outcome.UNCHANGED),
        ({"if_match": TAG}, Outcome.WHOLE),
        ({"if_match": "*"}, Outcome.WHOLE),
        ({"if_match": f"W/{TAG}"}, Outcome.CHANGED),
        ({"if_match": '"x"', "if_none_match": TAG}, Outcome.CHANGED),
        ({"range": "bytes=0-0", "if_range": TAG}, Outcome.PART),
        ({"range": "bytes=0-0", "if_range": f"W/{TAG}"}, Outcome.WHOLE),
        ({"range": "bytes=0-0", "if_range": '"x"'}, Outcome.WHOLE),
        ({"range": "bytes=0-0", "if_range": "Wed, 25 Nov 2026 09:00:00 GMT"}, Outcome.WHOLE),
        ({"range": "bytes=99-", "if_range": '"x"'}, Outcome.WHOLE),
    ],
)
def test_what_the_reader_has_decides_first(headers: dict[str, Any], outcome: Outcome) -> None:
    assert ask(**headers).outcome is outcome


@given(st.text(max_size=40), st.integers(0, 50))
def test_whatever_is_asked_the_answer_lies_within_the_file(asked: str, size_bytes: int) -> None:
    answer = ask(size_bytes, range=f"bytes={asked}")

    assert answer.outcome in {Outcome.WHOLE, Outcome.PART, Outcome.OUTSIDE}
    assert set(answer.span) <= set(range(size_bytes))
    assert bool(answer.span) or answer.outcome is not Outcome.PART


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("photo.png", "inline; filename=\"photo.png\"; filename*=UTF-8''photo.png"),
        ('a"b;c.txt', "inline; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%3Bc.txt"),
        ("año.pdf", "inline; filename=\"a_o.pdf\"; filename*=UTF-8''a%C3%B1o.pdf"),
        (
            "a\r\nset-cookie: x",
            "inline; filename=\"a__set-cookie_ x\"; filename*=UTF-8''a%0D%0Aset-cookie%3A%20x",
        ),
    ],
)
def test_a_name_is_told_and_never_breaks_out(name: str, header: str) -> None:
    assert disposition(name, is_inline=True) == header


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_name_makes_another_header_or_a_path(name: str) -> None:
    header = disposition(name, is_inline=False)

    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert not set(header.split("''", 1)[0]) & set("\\%")
    assert "/" not in header
