"""Which words a query stands for, and whose messages are looked through."""

from __future__ import annotations

import pytest

from services.messaging.model.faults import QueryTooManyWords, QueryWithoutWords
from services.messaging.model.search import SearchRank, SoughtWord, look_for, words_sought

WORDS, PARTS, TYPOS = SearchRank


def sought(word: str, *stand_ins: dict[str, int]) -> SoughtWord:
    return SoughtWord(word, dict(zip(SearchRank, stand_ins, strict=False)))


def test_the_messages_of_the_rarest_word_are_looked_through() -> None:
    look = look_for([sought("el", {"el": 900}), sought("pedido", {"pedido": 30})], WORDS)

    assert look is not None
    assert look.drivers == ["pedido"]
    assert look.required == [["el"], ["pedido"]]
    assert look.better is None


def test_a_word_nobody_said_leaves_nothing_to_find() -> None:
    assert look_for([sought("el", {"el": 900}), sought("pedido", {})], WORDS) is None


def test_a_lower_rank_looks_only_for_what_the_better_one_has_not_shown() -> None:
    one = sought("sol", {"sol": 500}, {"sola": 3, "soleado": 4})

    look = look_for([one], PARTS)

    assert look is not None
    assert look.drivers == ["sola", "soleado"]
    assert look.required == [["sol", "sola", "soleado"]]
    assert look.better == [["sol"]]


def test_with_several_words_whatever_is_rarest_is_looked_through() -> None:
    common = sought("el", {"el": 900}, {"ella": 800})
    rare = sought("pedido", {"pedido": 30}, {"pedidos": 40})

    look = look_for([common, rare], PARTS)

    assert look is not None
    assert look.drivers == ["pedido", "pedidos"]
    assert look.better == [["el"], ["pedido"]]


def test_where_no_better_rank_is_possible_none_is_left_out() -> None:
    look = look_for([sought("factu", {}, {"factura": 7})], PARTS)

    assert look is not None
    assert look.better is None


def test_a_rank_that_adds_no_word_finds_nothing_new() -> None:
    assert look_for([sought("sol", {"sol": 500}, {"sola": 3}, {})], TYPOS) is None


def test_a_query_needs_a_word_and_not_too_many() -> None:
    assert words_sought("¿Dónde, dónde está?") == ["donde", "esta"]
    with pytest.raises(QueryWithoutWords):
        words_sought("🎉 ¿?")
    with pytest.raises(QueryTooManyWords) as caught:
        words_sought(" ".join(map(str, range(17))))
    assert (caught.value.count, caught.value.max_count) == (17, 16)
