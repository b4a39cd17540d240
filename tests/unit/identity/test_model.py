"""The rules of identity."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.auth import Role
from chassis.errors import FieldInvalid, VersionConflict
from chassis.ids import new_id
from services.identity.model.credentials import (
    NEXT_KEY_MADE_AHEAD,
    SIGNING_KEY_SIGNS_FOR,
    SecretToken,
    SigningKey,
    next_signing_span,
    parse_role_of_key,
)
from services.identity.model.faults import LastOwner, PasswordTooWeak
from services.identity.model.people import (
    Member,
    MemberId,
    MemberState,
    activated,
    check_password,
    email_key,
    parse_email,
    parse_role_of_person,
    parse_time_zone,
    removed,
    updated,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
OLGA = Member(MemberId(new_id()), "olga@example.com", "Olga", Role.OWNER, MemberState.ACTIVE, NOW)


@pytest.mark.parametrize("email", ["a@b", "ana.núñez+x@例え.jp", " spaced@example.com "])
def test_an_email_address_is_taken_without_much_ado(email: str) -> None:
    assert parse_email("email", email) == email.strip()


@pytest.mark.parametrize(
    "email", ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\x00", "a@b\u202e", "x" * 65 + "@b"]
)
def test_what_is_no_email_address_is_refused(email: str) -> None:
    with pytest.raises(FieldInvalid):
        parse_email("email", email)


def test_two_spellings_of_one_address_are_one() -> None:
    assert email_key("Ana@Example.COM ") == email_key("ana@example.com")
    assert email_key("\uff41na@example.com") == email_key("ana@example.com")


@pytest.mark.parametrize("password", ["", "short", "123456789", "aaaaaaaaaaaaaa", "x" * 257])
def test_a_weak_password_is_refused_with_the_rule(password: str) -> None:
    with pytest.raises(PasswordTooWeak) as refused:
        check_password(password)

    assert password not in str(refused.value) or not password


def test_a_password_must_not_be_the_address() -> None:
    with pytest.raises(PasswordTooWeak):
        check_password("OLGA@example.com", "olga@example.com")
    check_password("olga@example.com!", "olga@example.com")


@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "/etc/localtime", "a" * 99])
def test_a_time_zone_must_exist(name: str) -> None:
    with pytest.raises(FieldInvalid):
        parse_time_zone(name)


def test_no_time_zone_is_utc() -> None:
    assert [parse_time_zone(name) for name in ("", "America/Sao_Paulo")] == [
        "UTC",
        "America/Sao_Paulo",
    ]


def test_a_person_is_never_a_bot_and_a_key_never_a_visitor() -> None:
    for role in (None, Role.BOT, Role.SERVICE, Role.VISITOR):
        with pytest.raises(FieldInvalid):
            parse_role_of_person(role)
    for role in (None, Role.VISITOR):
        with pytest.raises(FieldInvalid):
            parse_role_of_key(role)


def test_the_last_owner_stays_owner() -> None:
    with pytest.raises(LastOwner):
        removed(OLGA, other_active_owners=0)
    with pytest.raises(LastOwner):
        updated(OLGA, role=Role.AGENT, display_name="", expected_version=0, other_active_owners=0)


def test_with_another_owner_they_may_go_and_a_repeat_changes_nothing() -> None:
    gone = removed(OLGA, other_active_owners=1)

    assert gone.state is MemberState.REMOVED
    assert gone.version == OLGA.version + 1
    assert removed(gone, other_active_owners=0) == gone


def test_a_change_that_changes_nothing_keeps_the_version() -> None:
    same = updated(
        OLGA, role=Role.OWNER, display_name="", expected_version=1, other_active_owners=0
    )

    assert same == OLGA
    assert activated(OLGA) == OLGA


def test_a_change_of_what_somebody_else_changed_is_refused() -> None:
    with pytest.raises(VersionConflict):
        updated(OLGA, role=None, display_name="O", expected_version=7, other_active_owners=0)


def test_an_invited_member_becomes_active_under_the_name_they_choose() -> None:
    invited = replace(OLGA, state=MemberState.INVITED)

    joined = activated(invited, "Olga K.")

    assert (joined.state, joined.display_name) == (MemberState.ACTIVE, "Olga K.")
    assert joined.version == invited.version + 1


@given(st.text())
def test_only_tokens_of_their_kind_are_read(text: str) -> None:
    fresh = SecretToken.fresh()

    assert SecretToken.parse("is", fresh.text("is")) == fresh
    assert SecretToken.parse("ik", fresh.text("is")) is None
    assert SecretToken.parse("is", text) is None
    assert fresh.secret not in repr(fresh)


def a_key(begin: datetime) -> SigningKey:
    end = begin + SIGNING_KEY_SIGNS_FOR
    return SigningKey(new_id(), b"", "{}", begin, begin, end, end)


def test_there_is_always_a_key_that_signs_and_the_next_is_made_a_day_ahead() -> None:
    keys: list[SigningKey] = []
    now = NOW
    for _ in range(24 * 100):
        span = next_signing_span(keys, now)
        if span is not None:
            begin, end = span
            keys.append(replace(a_key(begin), sign_until=end))
            assert len(keys) == 1 or begin - now >= NEXT_KEY_MADE_AHEAD - timedelta(hours=1)
        assert sum(key.signs(now) for key in keys) == 1
        now += timedelta(hours=1)
    assert len(keys) == 4


def test_after_a_long_sleep_a_key_begins_at_once() -> None:
    span = next_signing_span([a_key(NOW - timedelta(days=90))], NOW)

    assert span == (NOW, NOW + SIGNING_KEY_SIGNS_FOR)
