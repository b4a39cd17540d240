"""What a simulator's customer sends beside text, as its webhooks tell of it."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from services.messaging.model.special import (
    Choice,
    ContactCard,
    ContactCards,
    Location,
    Special,
    Unsupported,
)

MAX_CARDS = 20
MAX_NUMBERS = 10
"""Phones, and e-mail addresses, of one card."""
MAX_WORDS = 500
MAX_KIND_LENGTH = 40
MAX_LATITUDE, MAX_LONGITUDE = 90.0, 180.0
UNKNOWN = "unknown"


def read_special(event: dict[str, Any]) -> Special:
    """A message without text. What cannot be shown is Unsupported, so that it has its place.

    Raises: KeyError, ValueError, TypeError, AttributeError.
    """
    kind = event.get("kind")
    match kind:
        case "location":
            return _location(event["location"])
        case "contacts":
            return _cards(event["contacts"])
        case "button":
            return Choice(_needed(event["button"], "title"), clean(event["button"].get("payload")))
    return Unsupported(clean(kind)[:MAX_KIND_LENGTH] or UNKNOWN)


def clean(value: object) -> str:
    """Words on one line; letters and emoji of every script stay."""
    if not isinstance(value, str):
        return ""
    kept = "".join(c for c in value if unicodedata.category(c) not in {"Cc", "Cs"})
    return kept.strip()[:MAX_WORDS]


def _location(place: dict[str, Any]) -> Location:
    return Location(
        _degrees(place["latitude"], MAX_LATITUDE),
        _degrees(place["longitude"], MAX_LONGITUDE),
        clean(place.get("name")),
        clean(place.get("address")),
    )


def _degrees(value: object, at_most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("degrees")
    if not math.isfinite(value) or abs(value) > at_most:
        raise ValueError("degrees")
    return float(value)


def _cards(cards: list[dict[str, Any]]) -> ContactCards:
    if not isinstance(cards, list) or not cards:
        raise ValueError("contacts")
    return ContactCards(tuple(_card(card) for card in cards[:MAX_CARDS]))


def _card(card: dict[str, Any]) -> ContactCard:
    return ContactCard(
        _needed(card, "name"), _numbers(card.get("phones")), _numbers(card.get("emails"))
    )


def _numbers(given: object) -> tuple[str, ...]:
    if not isinstance(given, list):
        return ()
    return tuple(filter(None, map(clean, given[:MAX_NUMBERS])))


def _needed(entry: dict[str, Any], name: str) -> str:
    value = clean(entry[name])
    if not value:
        raise ValueError(name)
    return value
