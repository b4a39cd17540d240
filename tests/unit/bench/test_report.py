"""Figures, limits and ratios as they are shown."""

from __future__ import annotations

import json

import pytest

from bench.plain_http import whole_body
from bench.report import Limit, Row, as_json, percentile, shown, table

ROW = Row(
    name="P9 bricks",
    figure=30.0,
    unit="/s",
    limits=(Limit("a crane", 60.0), Limit("a robot", None, "not installed; Debian package robot")),
    target="≥ 0.5",
    note="dry",
)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert percentile(values, share) == expected


def test_nothing_measured_has_no_percentile() -> None:
    assert percentile([], 0.99) == 0.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [(12_345.6, "12,346 /s"), (45.67, "45.7 /s"), (0.1234, "0.12 /s"), (None, "-")],
)
def test_a_figure_has_the_digits_it_deserves(value: float | None, expected: str) -> None:
    assert shown(value, "/s") == expected


def test_every_limit_of_a_figure_has_a_line() -> None:
    lines = table([ROW]).splitlines()[2:]

    assert lines == [
        "| P9 bricks | 30.0 /s | 60.0 /s (a crane) | 0.50 | ≥ 0.5 | dry |",
        "| | | a robot: not installed; Debian package robot | - | | |",
    ]


def test_what_was_not_reached_has_no_ratio() -> None:
    row = Row("P9 bricks", None, "/s", (Limit("a crane", 60.0),), note="too windy")

    assert "| P9 bricks | - | 60.0 /s (a crane) | - |  | too windy |" in table([row])


def test_programs_get_the_ratios_too() -> None:
    told = json.loads(as_json([ROW], "2 cores"))

    assert told["about"] == "2 cores"
    assert told["rows"][0]["figure"] == 30.0
    assert [limit["ratio"] for limit in told["rows"][0]["limits"]] == [0.5, None]


@pytest.mark.parametrize(
    ("head", "rest", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3", b"abc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3", b"ab", None),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", b"3\r\nabc\r\n", None),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked",
            b"3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n",
            b"abc0123456789",
        ),
    ],
)
def test_a_body_is_taken_once_it_is_whole(head: bytes, rest: bytes, expected: bytes | None) -> None:
    assert whole_body(head, rest) == expected
