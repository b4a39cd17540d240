"""Articles, and the passages that a search finds in them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.errors import FieldInvalid, VersionConflict
from services.assistant.model import phrases
from services.assistant.model.phrases import Language

__all__ = ["Article", "Language", "Passage", "Search", "changed", "deleted", "passages_of"]

MAX_TITLE_CHARACTERS = 120
MAX_BODY_CHARACTERS = 20_000
MAX_ARTICLES = 500
MAX_PASSAGE_CHARACTERS = 600
"""An answer quotes one passage; a longer one would be a wall of text in a chat."""
MAX_QUERY_CHARACTERS = 500
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
EMPHASIS = re.compile(r"(\*\*|__|\*|(?<!\w)_|_(?!\w)|`)")
QUOTE = re.compile(r"^>\s?")
SENTENCE = re.compile(r".*?[.!?…](?:\s+|\Z)|.+\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Article:
    """Something the business knows."""

    id: str
    title: str
    body: str
    language: Language
    create_time: datetime
    update_time: datetime
    version: int = 1
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an article as a search found it."""

    article_id: str
    title: str
    text: str
    language: Language
    coverage_percent: int
    """How many of the question's words it has."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for."""

    words: str
    """The question without what people say around it."""
    size: int


def checked_title(title: str) -> str:
    """A title without space around it. Raises: FieldInvalid."""
    trimmed = " ".join(title.split())
    if not trimmed:
        raise FieldInvalid("title", "must not be empty")
    if len(trimmed) > MAX_TITLE_CHARACTERS:
        raise FieldInvalid("title", f"must have at most {MAX_TITLE_CHARACTERS} characters")
    if not trimmed.isprintable():
        raise FieldInvalid("title", "must not contain control characters")
    return trimmed


def checked_body(body: str) -> str:
    """A body that fits into an event. Raises: FieldInvalid."""
    if len(body) > MAX_BODY_CHARACTERS:
        raise FieldInvalid("body", f"must have at most {MAX_BODY_CHARACTERS} characters")
    return body.strip()


def language_of(title: str, body: str, given: Language | None) -> Language:
    """What an article is written in."""
    return given or phrases.language_of(f"{title}\n{body}")


def changed(
    article: Article,
    *,
    title: str | None,
    body: str | None,
    language: Language | None,
    expected_version: int,
    at: datetime,
) -> Article:
    """The article with what is given; itself when nothing is new. Raises: VersionConflict."""
    _expect(article, expected_version)
    new_title = article.title if title is None else title
    new_body = article.body if body is None else body
    is_same_text = (new_title, new_body) == (article.title, article.body)
    if language is None:
        language = article.language if is_same_text else phrases.language_of(new_title + new_body)
    if is_same_text and language is article.language:
        return article
    return replace(
        article,
        title=new_title,
        body=new_body,
        language=language,
        update_time=at,
        version=article.version + 1,
    )


def deleted(article: Article, *, expected_version: int, at: datetime) -> Article:
    """What is left of it: a removal has a version like any change. Raises: VersionConflict."""
    _expect(article, expected_version)
    return replace(
        article, title="", body="", is_deleted=True, update_time=at, version=article.version + 1
    )


def passages_of(article: Article) -> list[str]:
    """The article as parts of plain text, each fit to be quoted by itself."""
    passages: list[str] = []
    heading, lines = "", [""]
    for line in [*article.body.splitlines(), "", "# "]:
        is_heading = HEADING.match(line)
        if line.strip() and not is_heading:
            lines.append(_plain(line))
            continue
        if text := "\n".join(filter(None, lines)):
            passages += _cut(f"{heading}: {text}" if heading else text)
        lines = []
        if is_heading:
            heading = _plain(is_heading.group(1)).strip("¿¡?!: ")
    return _joined(passages)


def _plain(line: str) -> str:
    text = QUOTE.sub("", line.strip())
    text = re.sub(r"^[*+-]\s+", "- ", text)
    return EMPHASIS.sub("", LINK.sub(r"\1", text)).strip()


def _cut(text: str) -> list[str]:
    """Between sentences, where it is too long; a sentence that is too long by itself, anywhere."""
    parts = [""]
    for sentence in SENTENCE.findall(text):
        for piece in textwrap.wrap(
            sentence, MAX_PASSAGE_CHARACTERS, replace_whitespace=False, drop_whitespace=False
        ):
            if parts[-1] and len(parts[-1]) + len(piece) > MAX_PASSAGE_CHARACTERS:
                parts.append("")
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def _joined(passages: list[str]) -> list[str]:
    """A sentence that ends with a colon belongs to the list that follows it."""
    joined: list[str] = []
    for passage in passages:
        if joined and joined[-1].endswith(":"):
            joined[-1] = f"{joined[-1]}\n{passage}"
        else:
            joined.append(passage)
    return joined


def _expect(article: Article, expected_version: int) -> None:
    if expected_version and expected_version != article.version:
        raise VersionConflict(expected_version, article.version)
