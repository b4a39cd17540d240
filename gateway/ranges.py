"""Which bytes a request asks for, by RFC 9110: preconditions first, then the range."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

UNIT = re.compile(r"\s*bytes\s*=(?P<ranges>.*)", re.IGNORECASE)
SPAN = re.compile(r"[ \t]*(?P<first>\d{0,18})-(?P<last>\d{0,18})[ \t]*")
ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')
ANY = "*"


class Outcome(enum.IntEnum):
    """What to answer; the values are HTTP's."""

    WHOLE = 200
    PART = 206
    UNCHANGED = 304
    CHANGED = 412
    OUTSIDE = 416


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to answer, and with which bytes."""

    outcome: Outcome
    span: range


def wanted(headers: Mapping[str, str], *, is_get: bool, etag: str, size_bytes: int) -> Wanted:
    """What a GET or HEAD asks for of a file that never changes under its tag."""
    nothing, whole = range(0), range(size_bytes)
    if "if-match" in headers and not _names(headers["if-match"], etag, is_weak_enough=False):
        return Wanted(Outcome.CHANGED, nothing)
    if "if-none-match" in headers and _names(headers["if-none-match"], etag, is_weak_enough=True):
        return Wanted(Outcome.UNCHANGED, nothing)
    asked = headers.get("range")
    # A date in If-Range never matches: no answer of ours carries one.
    if asked is None or not is_get or headers.get("if-range", etag).strip() != etag:
        return Wanted(Outcome.WHOLE, whole)
    spans = _spans(asked, size_bytes)
    if spans is None:
        return Wanted(Outcome.WHOLE, whole)
    if not spans:
        return Wanted(Outcome.OUTSIDE, nothing)
    # Several parts are answered as none: the whole holds them all, and is cheaper to make.
    return Wanted(Outcome.PART, spans[0]) if len(spans) == 1 else Wanted(Outcome.WHOLE, whole)


def _names(listed: str, etag: str, *, is_weak_enough: bool) -> bool:
    if listed.strip() == ANY:
        return True
    tags = ENTITY_TAG.findall(listed)
    return etag in tags or (is_weak_enough and f"W/{etag}" in tags)


def _spans(asked: str, size_bytes: int) -> list[range] | None:
    """The ranges that lie within the file; None if the header is not one to follow."""
    unit = UNIT.fullmatch(asked)
    if unit is None:
        return None
    spans = [_span(text, size_bytes) for text in unit["ranges"].split(",") if text.strip()]
    if not spans or None in spans:
        return None
    return [span for span in spans if span]


def _span(text: str, size_bytes: int) -> range | None:
    """One range, empty if outside of the file; None if it is malformed."""
    ends = SPAN.fullmatch(text)
    if ends is None or not (ends["first"] or ends["last"]):
        return None
    if not ends["first"]:
        return range(max(size_bytes - int(ends["last"]), 0), size_bytes)
    first = int(ends["first"])
    if not ends["last"]:
        return range(first, size_bytes)
    last = int(ends["last"])
    return range(first, min(last + 1, size_bytes)) if last >= first else None
