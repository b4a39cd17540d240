"""Rules of what is known of contacts, of merging them, and of their names."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid, VersionConflict
from services.conversation.model import profile as rules
from services.conversation.model.authors import Author, AuthorKind
from services.conversation.model.contact import Identity, new_contact
from services.conversation.model.faults import (
    ContactFieldOfMember,
    ContactFull,
    QueryTooManyWords,
    QueryWithoutWords,
)
from services.conversation.model.merging import MAX_IDENTITIES, merge
from services.conversation.model.names import highlights, name_words, query_words, sort_key
from services.conversation.model.profile import (
    MAX_CONSENTS,
    Consent,
    ConsentState,
    ContactField,
    KnownContact,
    email_of,
    field_key_of,
    language_of,
    phone_of,
    purpose_of,
)
from services.conversation.model.thread import ChannelKind
from tests.unit.conversation.facts import CHANNEL, FIRST_DAY, OPENED, WORKSPACE

MEMBER = Author(AuthorKind.MEMBER, "bea", "Bea")
AI = Author(AuthorKind.AI, "ai", "Iris")
ANA = KnownContact(new_contact(WORKSPACE, OPENED))
BOB = KnownContact(
    new_contact(WORKSPACE, replace(OPENED, external_id="visitor-2", customer_name="Bob"))
)


def a_field(key: str, value: str, author: Author = MEMBER) -> ContactField:
    return ContactField(key, value, author, FIRST_DAY)


def a_consent(purpose: str, days: int, state: ConsentState = ConsentState.GRANTED) -> Consent:
    said_at = FIRST_DAY + timedelta(days=days)
    return Consent(purpose, None, state, "said so", MEMBER, said_at)


def test_one_version_counts_changes_of_the_name_and_of_the_profile() -> None:
    named = rules.update(ANA, display_name="Ana G.", email=None, phone=None, language=None)
    known = rules.update(named, display_name=None, email="a@b", phone=None, language="es")
    both = rules.update(known, display_name="Ana", email="", phone=None, language=None)

    assert (named.contact.version, named.profile.version) == (2, 0)
    assert (known.contact.version, known.profile.version) == (3, 3)
    assert (both.contact.version, both.profile.version) == (4, 4)


def test_what_differs_in_nothing_is_the_same_object() -> None:
    known = rules.set_field(ANA, a_field("city", "Vigo"))

    assert rules.update(known, display_name="Ana", email="", phone=None, language=None) is known
    assert rules.set_field(known, a_field("city", "Vigo", AI)) is known
    assert rules.untag(known, "none") is known


def test_every_change_can_say_which_version_it_saw() -> None:
    changes: tuple[Callable[[KnownContact], KnownContact], ...] = (
        lambda known: rules.set_field(known, a_field("city", "Lugo"), expected_version=1),
        lambda known: rules.delete_field(known, "city", expected_version=1),
        lambda known: rules.record_consent(known, a_consent("news", 1), expected_version=1),
        lambda known: rules.tag(known, "vip", living={"vip"}, expected_version=1),
    )
    known = rules.set_field(ANA, a_field("city", "Vigo"))

    for change in changes:
        with pytest.raises(VersionConflict):
            change(known)


def test_the_ai_corrects_itself_and_nobody_else() -> None:
    read = rules.set_field(ANA, a_field("city", "Vigo", AI))

    corrected = rules.set_field(read, a_field("city", "Lugo", AI))
    written = rules.set_field(corrected, a_field("city", "Vigo", MEMBER))

    assert written.profile.fields == (a_field("city", "Vigo", MEMBER),)
    with pytest.raises(ContactFieldOfMember):
        rules.set_field(written, a_field("city", "Lugo", AI))


def test_consents_are_limited_by_purpose_and_kind_of_channel() -> None:
    known = ANA
    for number in range(MAX_CONSENTS):
        known = rules.record_consent(known, a_consent(f"purpose-{number}", 0))

    again = rules.record_consent(known, a_consent("purpose-0", 1, ConsentState.WITHDRAWN))

    assert len(again.profile.consents) == MAX_CONSENTS
    with pytest.raises(ContactFull):
        rules.record_consent(
            known, replace(a_consent("purpose-0", 1), channel_kind=ChannelKind.TELEGRAM)
        )


def test_a_merge_is_the_same_whichever_of_two_equal_pieces_of_news_comes_last() -> None:
    ana = rules.record_consent(ANA, a_consent("news", 1))
    bob = rules.record_consent(BOB, a_consent("news", 2, ConsentState.WITHDRAWN))

    one, left = merge(ana, bob)
    other, _ = merge(bob, ana)

    assert one.profile.consents == other.profile.consents == bob.profile.consents
    assert one.contact.identities == other.contact.identities
    assert (left.identities, left.display_name, left.merged_into_id) == ((), "", ana.id)
    assert (one.contact.version, left.version) == (3, 3)


def test_a_nameless_contact_takes_the_other_ones_name_and_the_earlier_time() -> None:
    nameless = KnownContact(replace(BOB.contact, display_name=""))
    later = KnownContact(replace(ANA.contact, create_time=FIRST_DAY + timedelta(days=1)))

    merged, _ = merge(nameless, later)

    assert (merged.contact.display_name, merged.contact.create_time) == ("Ana", FIRST_DAY)


def test_a_contact_has_so_many_identities_and_no_more() -> None:
    identities = tuple(
        Identity(CHANNEL, ChannelKind.WEB_CHAT, f"visitor-{number}")
        for number in range(MAX_IDENTITIES)
    )
    full = KnownContact(replace(ANA.contact, identities=identities))

    with pytest.raises(ContactFull):
        merge(full, BOB)


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (email_of, ["", " ana@example.com ", "a+b@c.example"], ["ana", "a b@c", "a@b@c"]),
        (phone_of, ["", "+34 600-111.222", "(0) 600 11 12"], ["12345", "+", "phone", "1" * 16]),
        (language_of, ["", "es", "es-AR", "zh-Hant-TW"], ["español", "e", "es_AR", "es-"]),
        (field_key_of, ["city", "größe_2", "_x"], ["", "2nd", "my city", "x" * 65]),
        (purpose_of, ["marketing", "a-1_b"], ["", "News", "-a", "x" * 41]),
    ],
)
def test_what_is_written_down_is_checked_by_its_rule(
    read: object, good: list[str], bad: list[str]
) -> None:
    assert callable(read)
    for value in good:
        read(value)
    for value in bad:
        with pytest.raises(FieldInvalid):
            read(value)


def test_names_sort_and_are_found_without_case_and_accents() -> None:
    assert sort_key("Ángela ÑÚÑEZ") == "angela nunez"
    assert name_words("Ángela Núñez-Ñoño") == ["angela", "nunez", "nono"]


def test_a_query_keeps_the_beginnings_that_say_something() -> None:
    assert query_words("An ANA garcía an") == ["ana", "garcia"]
    with pytest.raises(QueryWithoutWords):
        query_words(" … ")
    with pytest.raises(QueryTooManyWords):
        query_words("a b c d e f g h i")


def test_a_highlight_ends_with_what_was_looked_for_and_its_accent() -> None:
    decomposed = unicodedata.normalize("NFD", "José")

    assert marked("José Pérez", "jose") == ["José"]
    assert marked(decomposed, "jose") == [decomposed]
    assert marked("\U0001d504na Anabel", "ana") == ["\U0001d504na", "Ana"]
    assert marked("Straße", "stras") == ["Straß"]


@given(st.text(max_size=30), st.text(max_size=4))
def test_every_name_with_a_fitting_word_shows_why(name: str, beginning: str) -> None:
    try:
        wanted = query_words(beginning)
    except QueryWithoutWords:
        return
    fits = any(word.startswith(wanted[0]) for word in name_words(name))

    shown = marked(name, *wanted[:1])

    assert bool(shown) or not fits
    assert all(shown)


def marked(name: str, *beginnings: str) -> list[str]:
    """The highlighted parts of a name."""
    units = name.encode("utf-16-le", "surrogatepass")
    return [
        units[2 * one.start : 2 * (one.start + one.length)].decode("utf-16-le", "surrogatepass")
        for one in highlights(name, beginnings)
    ]
