"""What messages carry beside their text, as a JSON column."""

from __future__ import annotations

import json
from collections.abc import Sequence

from services.messaging.model.attachment import Attachment, AttachmentKind
from services.messaging.model.message import Message


def content_to_json(attachments: Sequence[Attachment]) -> str:
    """For its column."""
    return json.dumps(
        {
            "attachments": [
                {
                    "media_id": one.media_id,
                    "kind": one.kind.value,
                    "file_name": one.file_name,
                    "content_type": one.content_type,
                    "size_bytes": one.size_bytes,
                }
                for one in attachments
            ]
        }
    )


def content_arrays(messages: Sequence[Message]) -> tuple[list[str], list[int], list[str]]:
    """Places and contents of messages that carry more than text, as `unnest` takes them."""
    return (
        [message.conversation_id for message in messages],
        [message.seq for message in messages],
        [content_to_json(message.attachments) for message in messages],
    )


def attachments_of(content: str) -> tuple[Attachment, ...]:
    """From its column."""
    return tuple(
        Attachment(
            one["media_id"],
            AttachmentKind(one["kind"]),
            one["file_name"],
            one["content_type"],
            one["size_bytes"],
        )
        for one in json.loads(content)["attachments"]
    )
