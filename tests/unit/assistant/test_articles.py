"""Articles become passages that can be quoted by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid, VersionConflict
from services.assistant.model.articles import (
    MAX_BODY_CHARACTERS,
    MAX_PASSAGE_CHARACTERS,
    Article,
    Language,
    changed,
    checked_body,
    checked_title,
    deleted,
    passages_of,
)
from tests.fakes import START

ARTICLE = Article(
    id="018f0000-0000-7000-8000-000000000001",
    title="Delivery",
    body="",
    language=Language.ENGLISH,
    create_time=START,
    update_time=START,
)


def passages(body: str) -> list[str]:
    return passages_of(replace(ARTICLE, body=body))


def test_a_paragraph_is_a_passage_and_knows_the_heading_above_it() -> None:
    body = "We ship daily.\n\nIt costs 5 euros.\n\n## Tracking an order\n\nYou get a link."

    assert passages(body) == [
        "We ship daily.",
        "It costs 5 euros.",
        "Tracking an order: You get a link.",
    ]


def test_markdown_becomes_plain_text() -> None:
    body = "We **always** answer [here](https://example.com/x), _really_: `now`.\n> Promised."

    assert passages(body) == ["We always answer here, really: now.\nPromised."]


def test_a_list_stays_with_the_sentence_that_announces_it() -> None:
    assert passages("You can pay by:\n\n* card\n* transfer") == [
        "You can pay by:\n- card\n- transfer"
    ]


def test_names_with_underscores_stay_whole() -> None:
    assert passages("Send your order_number to us.") == ["Send your order_number to us."]


@given(st.text(alphabet="ab .!?#*-\n", max_size=3000))
def test_no_passage_is_empty_or_a_wall_of_text(body: str) -> None:
    for passage in passages(body.replace(":", "")):
        assert passage.strip()
        assert len(passage) <= MAX_PASSAGE_CHARACTERS


def test_nothing_of_a_long_paragraph_is_lost() -> None:
    body = " ".join(f"Sentence number {number} says something." for number in range(100))

    assert " ".join(passages(body)) == body


def test_a_title_is_one_clean_line() -> None:
    assert checked_title("  Opening \n hours ") == "Opening hours"
    for title in ("", " ", "x" * 121, "bell\a"):
        with pytest.raises(FieldInvalid):
            checked_title(title)


def test_a_body_fits_into_an_event() -> None:
    assert checked_body(" x ") == "x"
    with pytest.raises(FieldInvalid):
        checked_body("x" * (MAX_BODY_CHARACTERS + 1))


def test_a_change_raises_the_version_and_finds_the_language_anew() -> None:
    after = changed(
        ARTICLE,
        title="Envíos",
        body="Enviamos todos los días y el envío es gratis.",
        language=None,
        expected_version=1,
        at=START,
    )

    assert (after.version, after.language) == (2, Language.SPANISH)


def test_a_change_to_the_same_is_none() -> None:
    same = changed(
        ARTICLE, title="Delivery", body=None, language=None, expected_version=0, at=START
    )

    assert same is ARTICLE


def test_who_saw_another_version_is_refused() -> None:
    with pytest.raises(VersionConflict):
        changed(ARTICLE, title="x", body=None, language=None, expected_version=7, at=START)
    with pytest.raises(VersionConflict):
        deleted(ARTICLE, expected_version=7, at=START)


def test_nothing_that_was_written_is_left_of_a_deleted_article() -> None:
    gone = deleted(replace(ARTICLE, body="secret"), expected_version=0, at=START)

    assert (gone.title, gone.body, gone.is_deleted, gone.version) == ("", "", True, 2)
