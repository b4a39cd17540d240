"""Words that stand in for a word of a query: what it is part of, and what is a typo away."""

from __future__ import annotations

from chassis.words import fold

MIN_PART_LENGTH = 3
"""Fewer letters begin too many words to say anything."""
MIN_INNER_LENGTH = 4
"""Fewer letters are inside too many words; four are the end of an order's number."""
TYPO_LENGTHS = range(4, 25)
"""Shorter words have too many neighbours, longer ones are no words."""


def endings_of(word: str) -> list[str]:
    """What a word ends with, itself left out: whatever is inside a word begins one of these."""
    return [word[start:] for start in range(1, len(word) - MIN_INNER_LENGTH + 1)]


def typos_of(word: str) -> set[str]:
    """Every word one typo away from this one: a letter missing, added or wrong, or two swapped.

    A number has none: with another digit it is another number.
    """
    if len(word) not in TYPO_LENGTHS or not word.isalpha():
        return set()
    letters = next((alphabet for alphabet in ALPHABETS if word[0] in alphabet), "")
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    missing = {left + right[1:] for left, right in cuts if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in cuts if right[1:]}
    wrong = {left + letter + right[1:] for left, right in cuts if right for letter in letters}
    added = {left + letter + right for left, right in cuts for letter in letters}
    return (missing | swapped | wrong | added) - {word}


def _letters(first: str, last: str) -> str:
    """The letters of an alphabet that folding leaves as they are."""
    every = map(chr, range(ord(first), ord(last) + 1))
    return "".join(letter for letter in every if letter.isalpha() and fold(letter) == letter)


ALPHABETS = (
    _letters("a", "z"),
    _letters("\u03b1", "\u03c9"),  # Greek
    _letters("\u0430", "\u044f"),  # Cyrillic
    _letters("\u05d0", "\u05ea"),  # Hebrew
    _letters("\u0621", "\u064a"),  # Arabic
)
