"""What is neither text nor a file as protobuf."""

from __future__ import annotations

from inbox.messaging import v1
from services.messaging.model.special import (
    Choice,
    ContactCards,
    Location,
    Special,
    Unsupported,
)


def put_special(message: v1.Message, special: Special) -> None:
    """Set it on a message."""
    match special:
        case Location(latitude, longitude, name, address):
            message.location.latitude = latitude
            message.location.longitude = longitude
            message.location.name = name
            message.location.address = address
        case ContactCards(cards):
            message.contact_cards.cards.extend(
                v1.ContactCard(
                    display_name=card.display_name, phones=card.phones, emails=card.emails
                )
                for card in cards
            )
        case Choice(title, payload):
            message.choice.title = title
            message.choice.payload = payload
        case Unsupported(platform_kind):
            message.unsupported.platform_kind = platform_kind
