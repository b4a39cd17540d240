"""Words as search knows them: without case and without accents, in any script.

The same functions read what was said and what is looked for, so both always agree.

    words_of("Ángela Muñoz")  # ["angela", "munoz"]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_SEARCHED_CHARACTERS = 8_192
"""Of one text; twice what any platform takes."""
MAX_WORDS_PER_TEXT = 1_000
MAX_WORD_LENGTH = 64
"""Of a longer run of letters only the beginning counts, on both sides."""
ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
"""What people leave out when they are in a hurry: accents, and the points of Hebrew and Arabic."""
PLAIN = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ħ": "h",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\u0131": "i",
    }
)
"""Letters that Unicode does not take apart, but keyboards elsewhere do not have."""
INDIC = "\u0900-\u0963\u0966-\u0dff"
"""Scripts whose vowels are marks; they belong to the word."""
SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
"""Scripts written without spaces: each letter counts as a word."""
WORD = re.compile(rf"[{SPACELESS}]|(?:[^\W_{SPACELESS}]|[{INDIC}])+")


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word and where it stands in its text, in characters."""

    word: str
    start: int
    end: int


@lru_cache(maxsize=8_192)
def fold(character: str) -> str:
    """A character without case and accent; nothing is left of an accent by itself."""
    bare = ACCENTS.sub("", unicodedata.normalize("NFKD", character))
    # Put together again: taken apart, a Korean syllable is several letters.
    return unicodedata.normalize("NFKC", bare.casefold().translate(PLAIN))


def words_of(text: str) -> list[str]:
    """The different words of a text, in order."""
    folded = "".join(map(fold, text[:MAX_SEARCHED_CHARACTERS]))
    words = dict.fromkeys(map(_word, WORD.finditer(folded)))
    return list(words)[:MAX_WORDS_PER_TEXT]


def placed_words(text: str) -> Iterator[PlacedWord]:
    """Every word of a text with its place, in order."""
    pieces = [fold(character) for character in text[:MAX_SEARCHED_CHARACTERS]]
    origins = [origin for origin, piece in enumerate(pieces) for _ in piece]
    for found in WORD.finditer("".join(pieces)):
        end = origins[found.end() - 1] + 1
        while end < len(pieces) and not pieces[end]:
            end += 1  # the accent that belongs to the last letter
        yield PlacedWord(_word(found), origins[found.start()], end)


def _word(found: re.Match[str]) -> str:
    # Some keyboards write a Korean syllable as the letters it is made of.
    return unicodedata.normalize("NFC", found[0])[:MAX_WORD_LENGTH]
