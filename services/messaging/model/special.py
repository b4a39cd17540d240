"""What platforms deliver that is neither text nor a file; each says itself in words, too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place on the map."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ContactCard:
    """Somebody whom the customer told of."""

    display_name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactCards:
    """One or more of them, in one message."""

    cards: tuple[ContactCard, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The customer pressed a button or took one of a list."""

    title: str
    payload: str = ""
    """What whoever offered it called it."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something we cannot show; the customer did write, so it has its place."""

    platform_kind: str


Special = Location | ContactCards | Choice | Unsupported


def in_words(special: Special) -> str:
    """The same as text: for previews, search, the AI, and clients that know no better."""
    match special:
        case Location(latitude, longitude, name, address):
            place = f"{latitude:.6f}, {longitude:.6f}"
            return "\n".join(part for part in (name, address, place) if part)
        case ContactCards(cards):
            return "\n".join(
                " ".join([card.display_name, *card.phones, *card.emails]).strip() for card in cards
            )
        case Choice(title, _):
            return title
        case Unsupported(platform_kind):
            return f"[{platform_kind}]"
