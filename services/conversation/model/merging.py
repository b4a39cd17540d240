"""Making one contact part of another. Nothing is lost, and there is no way back."""

from __future__ import annotations

from dataclasses import replace

from services.conversation.model.contact import Contact
from services.conversation.model.faults import ContactFull, ContactMergedIntoItself
from services.conversation.model.profile import (
    MAX_CONSENTS,
    MAX_FIELDS,
    MAX_TAGS_ON_CONTACT,
    Consent,
    KnownContact,
    Profile,
    check_version,
    in_order,
)

MAX_IDENTITIES = 50


def check_different(contact_id: str, merged_id: str) -> None:
    """Raises: ContactMergedIntoItself."""
    if contact_id == merged_id:
        raise ContactMergedIntoItself(contact_id)


def merge(
    stays: KnownContact,
    goes: KnownContact,
    *,
    expected_version: int = 0,
    expected_merged_version: int = 0,
) -> tuple[KnownContact, Contact]:
    """The contact that both are from now on, and what is left of the other.

    What both have, the one that stays keeps as it has it; of consents the latest is kept.
    Raises: VersionConflict, ContactFull.
    """
    check_version(stays.contact, expected_version)
    check_version(goes.contact, expected_merged_version)
    identities = (*stays.contact.identities, *goes.contact.identities)
    if len(identities) > MAX_IDENTITIES:
        raise ContactFull("identities", MAX_IDENTITIES)
    version = stays.contact.version + 1
    contact = replace(
        stays.contact,
        display_name=stays.contact.display_name or goes.contact.display_name,
        identities=tuple(sorted(identities, key=lambda identity: identity.key)),
        create_time=min(stays.contact.create_time, goes.contact.create_time),
        version=version,
    )
    profile = replace(_joined(stays.profile, goes.profile), version=version)
    left = replace(
        goes.contact,
        display_name="",
        identities=(),
        merged_into_id=contact.id,
        version=goes.contact.version + 1,
    )
    return KnownContact(contact, profile), left


def _joined(stays: Profile, goes: Profile) -> Profile:
    """What is known of both. Raises: ContactFull."""
    fields = {one.key: one for one in (*goes.fields, *stays.fields)}
    consents: dict[tuple[str, str], Consent] = {}
    for one in sorted((*goes.consents, *stays.consents), key=lambda consent: consent.consent_time):
        consents[one.key] = one
    tag_ids = {*stays.tag_ids, *goes.tag_ids}
    for what, count, limit in (
        ("fields", len(fields), MAX_FIELDS),
        ("consents", len(consents), MAX_CONSENTS),
        ("tags", len(tag_ids), MAX_TAGS_ON_CONTACT),
    ):
        if count > limit:
            raise ContactFull(what, limit)
    return Profile(
        email=stays.email or goes.email,
        phone=stays.phone or goes.phone,
        language=stays.language or goes.language,
        tag_ids=tuple(sorted(tag_ids)),
        fields=in_order(fields),
        consents=in_order(consents),
    )
