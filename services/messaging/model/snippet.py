"""The part of a text that shows why it was found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chassis.words import placed_words

MAX_SNIPPET_LENGTH = 160
LEAD = 40
"""Characters that are shown before the first word that was looked for."""
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text, in characters or in UTF-16 code units."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Snippet:
    """Part of a text, and where in it the words are."""

    text: str
    highlights: list[Span]
    """In UTF-16 code units; in order, without overlap."""


def snippet_of(text: str, words: Collection[str]) -> Snippet | None:
    """The part of a text around the first of some words; None when it has none of them."""
    spans = _joined([Span(one.start, one.end) for one in placed_words(text) if one.word in words])
    if not spans:
        return None
    window = _window(text, spans[0].start)
    before = ELLIPSIS if window.start > 0 else ""
    after = ELLIPSIS if window.end < len(text) else ""
    shown = before + text[window.start : window.end] + after
    shift = len(before) - window.start
    highlights = [
        Span(
            _utf16_length(shown[: span.start + shift]),
            _utf16_length(shown[: min(span.end, window.end) + shift]),
        )
        for span in spans
        if span.start < window.end
    ]
    return Snippet(shown, highlights)


def _joined(spans: list[Span]) -> list[Span]:
    """The same stretches, those that touch as one: in some scripts each letter is a word, and a
    single character, ½, may hold two."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined


def _window(text: str, first: int) -> Span:
    """What is shown of a text whose first interesting character is given: whole words if it can."""
    if len(text) <= MAX_SNIPPET_LENGTH:
        return Span(0, len(text))
    start = max(0, min(first - LEAD, len(text) - MAX_SNIPPET_LENGTH))
    end = min(len(text), start + MAX_SNIPPET_LENGTH)
    if start > 0:
        blank = text.find(" ", start, first)
        start = start if blank < 0 else blank + 1
    if end < len(text):
        blank = text.rfind(" ", first, end)
        end = end if blank < 0 else blank
    return Span(start, end)


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
