"""Contacts' names as lists sort them and searches find them: without case and without accents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.words import fold, placed_words, words_of
from services.conversation.model.faults import QueryTooManyWords, QueryWithoutWords

MAX_QUERY_CHARACTERS = 200
MAX_QUERY_WORDS = 8
MAX_NAME_WORDS = 16
"""Of a longer name only the first words are found."""
MAX_SORTED_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a name, in UTF-16 code units."""

    start: int
    length: int


def sort_key(name: str) -> str:
    """What a name is sorted by."""
    return "".join(map(fold, name[:MAX_SORTED_CHARACTERS]))


def name_words(name: str) -> list[str]:
    """The words that a name is found by."""
    return words_of(name)[:MAX_NAME_WORDS]


def query_words(query: str) -> list[str]:
    """The beginnings of words that a query looks for, none of which begins another one.

    Raises: QueryWithoutWords, QueryTooManyWords.
    """
    words = words_of(query)
    if not words:
        raise QueryWithoutWords
    if len(words) > MAX_QUERY_WORDS:
        raise QueryTooManyWords(len(words), MAX_QUERY_WORDS)
    return [
        word
        for word in sorted(words)
        if not any(other != word and other.startswith(word) for other in words)
    ]


def highlights(name: str, beginnings: Sequence[str]) -> list[Span]:
    """Where in a name words begin as a query says, in order."""
    spans = []
    for placed in placed_words(name):
        fitting = [one for one in beginnings if placed.word.startswith(one)]
        if fitting:
            end = _end_of(name, placed.start, placed.end, len(max(fitting, key=len)))
            start = _utf16_length(name[: placed.start])
            spans.append(Span(start, _utf16_length(name[placed.start : end])))
    return spans


def _end_of(name: str, start: int, end: int, length: int) -> int:
    """Where the first letters of a word end in its name; accents belong to the letter before."""
    seen = 0
    for place in range(start, end):
        width = len(fold(name[place]))
        if seen >= length and width:
            return place
        seen += width
    return end


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
