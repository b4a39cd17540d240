"""What customers might say: words as unevenly common as in any language, typos and numbers."""

from __future__ import annotations

import itertools
import random

SYLLABLES = (
    *("la", "re", "to", "me", "ca", "si", "po", "nó", "tra", "con", "de", "vi", "pa", "mi", "ción"),
    *("lle", "cua", "ble", "es", "tri", "gu", "fá", "ño", "che", "bu", "ro", "sa", "lí", "mo"),
    *("ne", "ti", "ra", "do", "lu", "ber", "tan", "vo", "quí", "sol", "mar", "fre"),
)
VOCABULARY = 40_000
TYPO_SHARE = 0.03
NUMBER_SHARE = 0.08


class SmallTalk:
    """Texts and questions, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            count = min(6, 1 + int(self.dice.expovariate(0.5)))
            words["".join(self.dice.choices(SYLLABLES, k=count))] = None
        # Short words are the common ones; the n-th is said about 1/n as often as the first.
        self.words = sorted(words, key=len)
        self._weights = list(itertools.accumulate(1 / (n + 2.7) for n in range(VOCABULARY)))

    def text(self) -> str:
        """One message: nine words or so, sometimes forty."""
        length = max(1, min(60, int(self.dice.lognormvariate(2.0, 0.7))))
        words = self.dice.choices(self.words, cum_weights=self._weights, k=length)
        if self.dice.random() < NUMBER_SHARE:
            words.append(str(self.dice.randrange(10**5, 10**7)))
        if self.dice.random() < TYPO_SHARE * length:
            place = self.dice.randrange(length)
            words[place] = self.typo(words[place])
        return " ".join(words).capitalize()

    def word(self, first: int, last: int) -> str:
        """A word of a certain rank: 0 is said most."""
        return self.words[self.dice.randrange(first, last)]

    def typo(self, word: str) -> str:
        """The word without one of its letters."""
        place = self.dice.randrange(len(word))
        return word[:place] + word[place + 1 :]
