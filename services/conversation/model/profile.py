"""What a workspace knows of a contact beside the name, and how people and the AI change it."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from chassis.errors import FieldInvalid, VersionConflict
from services.conversation.model.authors import Author, AuthorKind
from services.conversation.model.contact import Contact
from services.conversation.model.faults import (
    ContactFieldNotFound,
    ContactFieldOfMember,
    ContactFull,
    PriorityNotForContacts,
)
from services.conversation.model.tags import PRIORITY
from services.conversation.model.thread import ChannelKind

MAX_DISPLAY_NAME_CHARACTERS = 80
MAX_EMAIL_CHARACTERS = 254
MAX_FIELDS = 50
MAX_FIELD_KEY_CHARACTERS = 64
MAX_FIELD_VALUE_CHARACTERS = 1000
MAX_CONSENTS = 50
MAX_CONSENT_SOURCE_CHARACTERS = 200
MAX_TAGS_ON_CONTACT = 20

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
PHONE = re.compile(r"\+?[0-9]{6,15}")
PHONE_PUNCTUATION = re.compile(r"[\s().\-/]")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
PURPOSE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class ConsentState(enum.Enum):
    """What a contact said about being contacted."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ContactField:
    """A detail that a member wrote down or the AI collected."""

    key: str
    value: str
    author: Author
    update_time: datetime
    source_conversation_id: str = ""
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class Consent:
    """What a contact said last about one purpose on one kind of channel."""

    purpose: str
    channel_kind: ChannelKind | None
    """None for all kinds that have none of their own."""
    state: ConsentState
    source: str
    author: Author
    consent_time: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What it is about."""
        return (self.purpose, self.channel_kind.value if self.channel_kind else "")


Keyed = TypeVar("Keyed", ContactField, Consent)


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known; everything sorted, so that equal profiles look equal."""

    email: str = ""
    phone: str = ""
    language: str = ""
    tag_ids: tuple[str, ...] = ()
    """May hold ids of tags that were deleted."""
    fields: tuple[ContactField, ...] = ()
    consents: tuple[Consent, ...] = ()
    version: int = 0
    """The contact's version when it changed last."""


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A contact with all that is known of it. One version counts the changes of both."""

    contact: Contact
    profile: Profile = Profile()

    @property
    def id(self) -> str:
        """The contact's."""
        return self.contact.id

    def with_profile(self, profile: Profile) -> KnownContact:
        """Another profile in the next version; the same object where nothing differs."""
        if profile == self.profile:
            return self
        version = self.contact.version + 1
        return KnownContact(
            replace(self.contact, version=version), replace(profile, version=version)
        )


def check_version(contact: Contact, expected_version: int) -> None:
    """0 does not check. Raises: VersionConflict."""
    if expected_version not in (0, contact.version):
        raise VersionConflict(expected_version, contact.version)


def check_tag(tag_id: str) -> None:
    """The star is a conversation's. Raises: PriorityNotForContacts."""
    if tag_id == PRIORITY.id:
        raise PriorityNotForContacts(PRIORITY.key)


def update(
    known: KnownContact,
    *,
    display_name: str | None,
    email: str | None,
    phone: str | None,
    language: str | None,
    expected_version: int = 0,
) -> KnownContact:
    """The contact with what is given; the same object where nothing differs.

    An empty name gives back what the channel calls them. Raises: VersionConflict.
    """
    check_version(known.contact, expected_version)
    profile = replace(
        known.profile,
        email=known.profile.email if email is None else email,
        phone=known.profile.phone if phone is None else phone,
        language=known.profile.language if language is None else language,
    )
    name = known.contact.display_name if display_name is None else display_name
    if not name:
        name = next((one.channel_name for one in known.contact.identities), "")
    after = known.with_profile(profile)
    if name == known.contact.display_name:
        return after
    version = known.contact.version + 1
    return replace(after, contact=replace(known.contact, display_name=name, version=version))


def tag(
    known: KnownContact, tag_id: str, *, living: AbstractSet[str], expected_version: int = 0
) -> KnownContact:
    """Give it a label; the same object comes back where it has it.

    `living` are those of its tags that were not deleted: the others go in passing.
    Raises: VersionConflict, ContactFull.
    """
    if tag_id in known.profile.tag_ids:
        return known
    check_version(known.contact, expected_version)
    kept = [one for one in known.profile.tag_ids if one in living]
    if len(kept) >= MAX_TAGS_ON_CONTACT:
        raise ContactFull("tags", MAX_TAGS_ON_CONTACT)
    return known.with_profile(replace(known.profile, tag_ids=tuple(sorted({*kept, tag_id}))))


def untag(known: KnownContact, tag_id: str, *, expected_version: int = 0) -> KnownContact:
    """Take a label away; the same object comes back where it does not have it.

    Raises: VersionConflict.
    """
    if tag_id not in known.profile.tag_ids:
        return known
    check_version(known.contact, expected_version)
    kept = tuple(one for one in known.profile.tag_ids if one != tag_id)
    return known.with_profile(replace(known.profile, tag_ids=kept))


def set_field(
    known: KnownContact, field: ContactField, *, expected_version: int = 0
) -> KnownContact:
    """Write a detail down; one that says so already stays whoever wrote it.

    Raises: VersionConflict, ContactFieldOfMember, ContactFull.
    """
    present = {one.key: one for one in known.profile.fields}
    before = present.get(field.key)
    if before is not None and before.value == field.value:
        return known
    check_version(known.contact, expected_version)
    if before is None and len(present) >= MAX_FIELDS:
        raise ContactFull("fields", MAX_FIELDS)
    is_members = before is not None and before.author.kind is AuthorKind.MEMBER
    if is_members and field.author.kind is AuthorKind.AI:
        raise ContactFieldOfMember(field.key)
    return known.with_profile(replace(known.profile, fields=in_order(present | {field.key: field})))


def delete_field(known: KnownContact, key: str, *, expected_version: int = 0) -> KnownContact:
    """Forget a detail. Raises: ContactFieldNotFound, VersionConflict."""
    kept = {one.key: one for one in known.profile.fields if one.key != key}
    if len(kept) == len(known.profile.fields):
        raise ContactFieldNotFound(key)
    check_version(known.contact, expected_version)
    return known.with_profile(replace(known.profile, fields=in_order(kept)))


def record_consent(
    known: KnownContact, consent: Consent, *, expected_version: int = 0
) -> KnownContact:
    """Write down what they said; what they said later than that stays.

    Raises: VersionConflict, ContactFull.
    """
    present = {one.key: one for one in known.profile.consents}
    before = present.get(consent.key)
    if before is not None and before.consent_time > consent.consent_time:
        return known
    check_version(known.contact, expected_version)
    if before is None and len(present) >= MAX_CONSENTS:
        raise ContactFull("consents", MAX_CONSENTS)
    return known.with_profile(
        replace(known.profile, consents=in_order(present | {consent.key: consent}))
    )


def in_order(entries: Mapping[Any, Keyed]) -> tuple[Keyed, ...]:
    """What stands under keys, in their order."""
    return tuple(sorted(entries.values(), key=lambda one: one.key))


def email_of(value: str) -> str:
    """An e-mail address without space around it; empty for none. Raises: FieldInvalid."""
    email = value.strip()
    if email and (len(email) > MAX_EMAIL_CHARACTERS or not EMAIL.fullmatch(email)):
        rule = f"must be name@domain of at most {MAX_EMAIL_CHARACTERS} characters, or empty"
        raise FieldInvalid("email", rule)
    return email


def phone_of(value: str) -> str:
    """A phone number's digits; empty for none. Raises: FieldInvalid."""
    phone = PHONE_PUNCTUATION.sub("", value)
    if phone and not PHONE.fullmatch(phone):
        raise FieldInvalid("phone", "must be 6 to 15 digits with or without a leading +, or empty")
    return phone


def language_of(value: str) -> str:
    """What somebody speaks; empty for nothing known. Raises: FieldInvalid."""
    if value and not LANGUAGE.fullmatch(value):
        raise FieldInvalid("language", "must be as in BCP 47, such as es-AR, or empty")
    return value


def field_key_of(value: str) -> str:
    """A field's name. Raises: FieldInvalid."""
    if not value.isidentifier() or len(value) > MAX_FIELD_KEY_CHARACTERS:
        rule = f"must be letters, digits and _, at most {MAX_FIELD_KEY_CHARACTERS}, no digit first"
        raise FieldInvalid("key", rule)
    return value


def field_value_of(value: str) -> str:
    """What a field says, without space around it. Raises: FieldInvalid."""
    said = value.strip()
    if not said or len(said) > MAX_FIELD_VALUE_CHARACTERS:
        raise FieldInvalid("value", f"must have 1 to {MAX_FIELD_VALUE_CHARACTERS} characters")
    return said


def purpose_of(value: str) -> str:
    """What somebody may be contacted for. Raises: FieldInvalid."""
    if not PURPOSE.fullmatch(value):
        rule = "must be lower-case letters, digits, - and _, at most 40, beginning with none of - _"
        raise FieldInvalid("purpose", rule)
    return value
