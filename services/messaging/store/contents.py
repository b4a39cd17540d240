"""What messages carry beside their text, as a JSON column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from services.messaging.model.attachment import Attachment, AttachmentKind
from services.messaging.model.message import Message
from services.messaging.model.special import (
    Choice,
    ContactCard,
    ContactCards,
    Location,
    Special,
    Unsupported,
)

Content = tuple[tuple[Attachment, ...], Special | None]
"""What a message carries: files, and what is neither file nor text."""


def content_arrays(messages: Sequence[Message]) -> tuple[list[str], list[int], list[str]]:
    """Places and contents of messages that carry more than text, as `unnest` takes them."""
    return (
        [message.conversation_id for message in messages],
        [message.seq for message in messages],
        [_content_to_json(message) for message in messages],
    )


def content_of(content: str) -> Content:
    """From its column."""
    told = json.loads(content)
    files = tuple(
        Attachment(
            one["media_id"],
            AttachmentKind(one["kind"]),
            one["file_name"],
            one["content_type"],
            one["size_bytes"],
        )
        for one in told["attachments"]
    )
    return files, _special_of(told)


def attachments_of(content: str) -> tuple[Attachment, ...]:
    """The files alone."""
    return content_of(content)[0]


def _content_to_json(message: Message) -> str:
    files = [
        {
            "media_id": one.media_id,
            "kind": one.kind.value,
            "file_name": one.file_name,
            "content_type": one.content_type,
            "size_bytes": one.size_bytes,
        }
        for one in message.attachments
    ]
    return json.dumps({"attachments": files, **_special_to(message.special)})


def _special_to(special: Special | None) -> dict[str, Any]:
    match special:
        case None:
            return {}
        case Location(latitude, longitude, name, address):
            return {"location": [latitude, longitude, name, address]}
        case ContactCards(cards):
            told = [[card.display_name, card.phones, card.emails] for card in cards]
            return {"contact_cards": told}
        case Choice(title, payload):
            return {"choice": [title, payload]}
        case Unsupported(platform_kind):
            return {"unsupported": platform_kind}


def _special_of(told: dict[str, Any]) -> Special | None:
    match told:
        case {"location": [latitude, longitude, name, address]}:
            return Location(latitude, longitude, name, address)
        case {"contact_cards": cards}:
            made = (ContactCard(name, tuple(phones), tuple(mails)) for name, phones, mails in cards)
            return ContactCards(tuple(made))
        case {"choice": [title, payload]}:
            return Choice(title, payload)
        case {"unsupported": platform_kind}:
            return Unsupported(platform_kind)
    return None
