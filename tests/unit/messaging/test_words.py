"""What a word is, in any script; how far two may differ; and the part of a text that shows them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.words import (
    MAX_SEARCHED_CHARACTERS,
    MAX_WORD_LENGTH,
    MAX_WORDS_PER_TEXT,
    placed_words,
    words_of,
)
from services.messaging.model.snippet import LEAD, MAX_SNIPPET_LENGTH, snippet_of
from services.messaging.model.words import endings_of, typos_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("¿Cuándo llega mi PEDIDO nº 4512-99?", "cuando llega mi pedido no 4512 99"),
        ("ana_maria@example.com", "ana maria example com"),
        ("Łódź, Ærø, straße, ĲSSEL", "lodz aero strasse ijssel"),
        ("Ёлка и йод", "елка и иод"),
        ("ΆΛΛΑ ἄλλα", "αλλα"),
        ("שָׁלוֹם שלום", "שלום"),
        ("한국어 주문", "한국어 주문"),
        ("हिन्दी में", "हिन्दी में"),
        ("東京へ", "東 京 へ"),
        ("สวัสดี", "ส ว ั ด ี"),
        ("🎉 … — ¡!", ""),
        ("no NO No nó", "no"),
    ],
)
def test_words_have_neither_case_nor_accent_and_come_once(text: str, words: str) -> None:
    assert words_of(text) == words.split()


@given(st.text(alphabet="aéIİñß çøĞ ЙйЁ Άώ 안녕", max_size=40))
def test_how_unicode_spells_a_text_does_not_matter(text: str) -> None:
    composed, apart = unicodedata.normalize("NFC", text), unicodedata.normalize("NFKD", text)

    assert words_of(apart) == words_of(composed)


@given(st.text(max_size=300))
@example("½ e\u0301 ﬁn")
def test_every_word_stands_where_it_is_said_to_stand(text: str) -> None:
    placed = list(placed_words(text))

    assert list(dict.fromkeys(one.word for one in placed)) == words_of(text)
    assert all(one.word in words_of(text[one.start : one.end]) for one in placed)
    assert [one.start for one in placed] == sorted(one.start for one in placed)


def test_what_is_read_of_one_text_has_bounds() -> None:
    endless = " ".join(f"w{number}" for number in range(50_000))

    assert len(words_of(endless)) == MAX_WORDS_PER_TEXT
    assert words_of("x" * 100_000) == ["x" * MAX_WORD_LENGTH]
    assert words_of(" " * MAX_SEARCHED_CHARACTERS + "hidden") == []


def test_whatever_is_inside_a_word_begins_one_of_its_endings() -> None:
    assert endings_of("pedido") == ["edido", "dido"]
    assert endings_of("hola") == []


def test_a_typo_is_a_letter_missing_added_wrong_or_two_swapped() -> None:
    typos = typos_of("hola")

    assert {"hla", "ola", "hoola", "holas", "bola", "hole", "ohla", "hoal"} <= typos
    assert "hola" not in typos
    assert not {"la", "holass", "ahlo"} & typos


@pytest.mark.parametrize("word", ["sol", "20267788", "a1b2c3", "x" * 25])
def test_short_words_numbers_and_monsters_have_no_typos(word: str) -> None:
    assert typos_of(word) == set()


@pytest.mark.parametrize(
    ("word", "typo"), [("заказ", "зоказ"), ("αλλα", "αλμα"), ("한국어가", "한국어")]
)
def test_other_alphabets_have_typos_too(word: str, typo: str) -> None:
    assert typo in typos_of(word)


@given(st.text(alphabet="abcdeé ñ🎉\n", max_size=400), st.text(alphabet="abcden", max_size=3))
def test_a_snippet_is_part_of_its_text_and_marks_only_what_was_looked_for(
    text: str, word: str
) -> None:
    snippet = snippet_of(text, {word})

    if word not in words_of(text):
        assert snippet is None
        return
    assert snippet is not None
    assert snippet.text.strip("…") in text
    assert len(snippet.text) <= MAX_SNIPPET_LENGTH + 2
    units = snippet.text.encode("utf-16-le")
    marked = [units[2 * one.start : 2 * one.end].decode("utf-16-le") for one in snippet.highlights]
    assert marked
    assert all(words_of(one) == [word] for one in marked)


def test_marks_do_not_overlap_where_one_character_holds_two_words() -> None:
    snippet = snippet_of("una ½ docena, 東京", {"1", "2", "東", "京"})

    assert snippet is not None
    assert [(one.start, one.end) for one in snippet.highlights] == [(4, 5), (14, 16)]


def test_a_snippet_begins_a_little_before_what_was_looked_for() -> None:
    snippet = snippet_of("palabra " * 50 + "tesoro " + "palabra " * 50, {"tesoro"})

    assert snippet is not None
    (highlight,) = snippet.highlights
    assert 0 < highlight.start <= LEAD + 1
    assert snippet.text.startswith("…palabra")
