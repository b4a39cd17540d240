"""Contacts by name: a list in the order of names, and the words by which names are found.

Every statement looks at a bounded number of rows, whatever is asked and however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.database import Reading, Transaction
from services.conversation.model.contact import Contact
from services.conversation.model.names import name_words, sort_key
from services.conversation.store.rows import CONTACT_COLUMNS, IDENTITIES, columns, contact_of

LOOKED_AT = 500
"""Names that one page of a search looks at."""
LAST_CHARACTER = "\U0010ffff"
LOWEST_ID = "00000000-0000-0000-0000-000000000000"

NAME = """
UPDATE contacts SET name_key = named.name_key
FROM unnest($2::uuid[], $3::text[]) AS named (id, name_key)
WHERE contacts.workspace_id = $1 AND contacts.id = named.id
"""
SET_WORDS = """
WITH found_by AS (
    SELECT * FROM unnest($3::uuid[], $4::text[]) AS found_by (contact_id, word)
), forgotten AS (
    DELETE FROM contact_name_words AS known
    WHERE workspace_id = $1 AND contact_id = ANY ($2::uuid[]) AND NOT EXISTS (
        SELECT FROM found_by
        WHERE found_by.contact_id = known.contact_id AND found_by.word = known.word)
)
INSERT INTO contact_name_words (workspace_id, contact_id, word)
SELECT $1, contact_id, word FROM found_by ON CONFLICT DO NOTHING
"""
UNNAMED = f"""
SELECT contacts.id AS contact_id, {CONTACT_COLUMNS}
FROM (
    SELECT * FROM contacts WHERE workspace_id = $1 AND name_key IS NULL
    ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
) AS contacts
{IDENTITIES}
"""
PAGE = f"""
SELECT contacts.id AS contact_id, contacts.name_key, {CONTACT_COLUMNS}
FROM (
    SELECT * FROM contacts
    WHERE workspace_id = $1 AND merged_into_id IS NULL AND name_key IS NOT NULL
      AND (name_key, id) > ($2, $3::uuid)
    ORDER BY name_key, id LIMIT $4
) AS contacts
{IDENTITIES}
ORDER BY contacts.name_key, contacts.id
"""
# Counted no further than a walk would go.
RAREST = """
SELECT wanted.first_word
FROM unnest($2::text[], $3::text[]) AS wanted (first_word, last_word) CROSS JOIN LATERAL (
    SELECT count(*) AS fitting FROM (
        SELECT FROM contact_name_words
        WHERE workspace_id = $1 AND word >= wanted.first_word AND word < wanted.last_word LIMIT $4
    ) AS counted
) AS counted
ORDER BY counted.fitting, wanted.first_word LIMIT 1
"""
# The index of words is walked from a place on. A contact whose name has two fitting words stands
# at the lesser one; whether the other words fit is looked up for each, never joined.
WALK = """
WITH walked AS MATERIALIZED (
    SELECT word, contact_id FROM contact_name_words
    WHERE workspace_id = $1 AND word >= $2 AND word < $3 AND (word, contact_id) > ($4, $5::uuid)
    ORDER BY word, contact_id LIMIT $6
)
SELECT word, contact_id, NOT EXISTS (
    SELECT FROM contact_name_words AS lesser
    WHERE lesser.workspace_id = $1 AND lesser.contact_id = walked.contact_id
      AND lesser.word >= $2 AND lesser.word < walked.word
) AND NOT EXISTS (
    SELECT FROM unnest($7::text[], $8::text[]) AS wanted (first_word, last_word)
    WHERE NOT EXISTS (
        SELECT FROM contact_name_words AS other
        WHERE other.workspace_id = $1 AND other.contact_id = walked.contact_id
          AND other.word >= wanted.first_word AND other.word < wanted.last_word)
) AS fits
FROM walked ORDER BY word, contact_id
"""


@dataclass(frozen=True, slots=True)
class NamePlace:
    """A place in a list by name, or by a word of it: what comes after it is on the next page."""

    text: str
    contact_id: str


BEFORE_ALL_NAMES = NamePlace("", LOWEST_ID)


@dataclass(frozen=True, slots=True)
class Walked:
    """What one look at the words came to."""

    contact_ids: list[str]
    next_place: NamePlace | None
    """None where there is nothing behind."""


async def index(transaction: Transaction, contacts: Sequence[Contact]) -> None:
    """Keep the words that contacts are found by as their names are now."""
    words = [(one.id, word) for one in contacts for word in name_words(one.display_name)]
    await transaction.raw.execute(
        SET_WORDS,
        transaction.workspace_id,
        [contact.id for contact in contacts],
        *(columns(words) if words else ((), ())),
    )


async def index_unnamed(transaction: Transaction, size: int) -> int:
    """Let some contacts be sorted and found that an older version saved; says how many."""
    rows = await transaction.raw.fetch(UNNAMED, transaction.workspace_id, size)
    contacts = [contact_of(row) for row in rows]
    if contacts:
        keys = columns((one.id, sort_key(one.display_name)) for one in contacts)
        await transaction.raw.execute(NAME, transaction.workspace_id, *keys)
        await index(transaction, contacts)
    return len(contacts)


async def page(reading: Reading, after: NamePlace, size: int) -> list[tuple[Contact, NamePlace]]:
    """Contacts after a place, by name, each with its own place."""
    rows = await reading.raw.fetch(PAGE, reading.workspace_id, after.text, after.contact_id, size)
    return [(contact_of(row), NamePlace(row["name_key"], str(row["contact_id"]))) for row in rows]


async def rarest(reading: Reading, beginnings: Sequence[str]) -> str:
    """The beginning that the fewest names have a word with."""
    lasts = [one + LAST_CHARACTER for one in beginnings]
    found: str = await reading.raw.fetchval(
        RAREST, reading.workspace_id, beginnings, lasts, LOOKED_AT
    )
    return found


async def walk(
    reading: Reading,
    leading: str,
    others: Sequence[str],
    *,
    after: NamePlace,
    size: int,
) -> Walked:
    """Contacts whose names have words with all of these beginnings, by what fits the leading."""
    rows = await reading.raw.fetch(
        WALK,
        reading.workspace_id,
        leading,
        leading + LAST_CHARACTER,
        after.text,
        after.contact_id,
        LOOKED_AT,
        others,
        [other + LAST_CHARACTER for other in others],
    )
    places = [(NamePlace(row["word"], str(row["contact_id"])), row["fits"]) for row in rows]
    found = [place for place, fits in places if fits]
    if len(found) > size:
        return Walked([place.contact_id for place in found[:size]], found[size - 1])
    behind = places[-1][0] if len(places) == LOOKED_AT else None
    return Walked([place.contact_id for place in found], behind)
