"""Links: addresses that are a credential for one file, for a short time.

A link is its facts and a keyed digest over them, so it needs no row, and a change of the key ends
all of them. Links of the same file made within some minutes are equal, so that browsers find in
their cache what they have.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.errors import NotFound
from chassis.ids import WorkspaceId

LIVES_AT_MOST = timedelta(minutes=15)
EQUAL_FOR = timedelta(minutes=5)
FACTS = struct.Struct(">16s16sI?")
DIGEST_BYTES = 16
PURPOSE = b"inbox media link"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for."""

    workspace_id: WorkspaceId
    media_id: str
    expire_time: datetime
    is_for_saving: bool
    """Browsers are told to save the file, also where they could show it."""


@dataclass(eq=False)
class LinkInvalid(NotFound):
    """The link is none of ours, or was changed."""

    reason = "MEDIA_LINK_INVALID"

    def __str__(self) -> str:
        return "there is no file behind this link; ask for a fresh one with CreateLink"


@dataclass(eq=False)
class LinkExpired(NotFound):
    """The link was good once."""

    reason = "MEDIA_LINK_EXPIRED"

    def __str__(self) -> str:
        return "this link has expired; ask for a fresh one with CreateLink"


class LinkKeys:
    """The keys that make links good; the first signs, all verify."""

    def __init__(self, text: str) -> None:
        """`text` is one or more secrets, comma separated, as with the service key."""
        self._keys = [
            hmac.digest(part.strip().encode(), PURPOSE, hashlib.sha256) for part in text.split(",")
        ]

    def write(self, link: Link) -> str:
        """The link as it stands in an address."""
        facts = FACTS.pack(
            UUID(link.workspace_id).bytes,
            UUID(link.media_id).bytes,
            int(link.expire_time.timestamp()),
            link.is_for_saving,
        )
        return base64.urlsafe_b64encode(facts + _digest(self._keys[0], facts)).decode().rstrip("=")

    def read(self, text: str, now: datetime) -> Link:
        """What it stands for. Raises: LinkInvalid, LinkExpired."""
        try:
            content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise LinkInvalid from None
        facts, digest = content[: FACTS.size], content[FACTS.size :]
        # Every key is compared, so the time taken tells nothing.
        if not any([hmac.compare_digest(digest, _digest(key, facts)) for key in self._keys]):  # noqa: C419
            raise LinkInvalid
        workspace, media, expires, is_for_saving = FACTS.unpack(facts)
        expire_time = datetime.fromtimestamp(expires, UTC)
        if now >= expire_time:
            raise LinkExpired
        return Link(
            WorkspaceId(str(UUID(bytes=workspace))),
            str(UUID(bytes=media)),
            expire_time,
            is_for_saving,
        )


def expire_time(now: datetime) -> datetime:
    """When a link made now ends: the same for all that are made within EQUAL_FOR."""
    span = EQUAL_FOR.total_seconds()
    began = now.timestamp() // span * span
    return datetime.fromtimestamp(began, UTC) + LIVES_AT_MOST


def _digest(key: bytes, facts: bytes) -> bytes:
    return hmac.digest(key, facts, hashlib.sha256)[:DIGEST_BYTES]
