"""Visitors of a chat box: who they are, which sites may show the box, what they acknowledged."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from chassis.errors import FieldInvalid
from services.messaging.model.channel import ChannelId
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.faults import OriginNotAllowed

SECRET_PREFIX = "iv_"  # noqa: S105 - what a secret begins with
SECRET = re.compile(r"iv_[A-Za-z0-9_-]{43}")


def external_id_of(channel_id: ChannelId, visitor_secret: str) -> str:
    """The visitor's identity on the channel: a one-way hash of the secret their browser keeps.

    So nothing has to be stored before the first message, the same browser finds its history again,
    and whoever reads the identity cannot become the visitor.
    """
    digest = hashlib.sha256(f"visitor\x1f{channel_id}\x1f{visitor_secret}".encode()).digest()
    return "v_" + base64.urlsafe_b64encode(digest[:24]).decode()


def refuse_unless_secret(visitor_secret: str) -> None:
    """Raises: FieldInvalid."""
    if not SECRET.fullmatch(visitor_secret):
        raise FieldInvalid(
            field="visitor_secret",
            rule="must be one that OpenSession gave; leave it empty to begin anew",
        )


def refuse_unless_embeddable(origin: str, allowed_origins: Iterable[str]) -> None:
    """An empty origin is our own page. Raises: OriginNotAllowed."""
    allowed = {canonical_origin(one) for one in allowed_origins} - {""}
    if origin and canonical_origin(origin) not in allowed:
        raise OriginNotAllowed(origin=origin)


def canonical_origin(url: str) -> str:
    """Scheme, host and port of a URL as browsers send them, or empty for what is none."""
    try:
        parts = urlsplit(url.strip().lower())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None or port == DEFAULT_PORTS[parts.scheme]:
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"


DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Marks:
    """How far a chat box has acknowledged its conversation; read implies delivered."""

    delivered_up_to_seq: int = 0
    read_up_to_seq: int = 0


@dataclass(frozen=True, slots=True)
class NewlyAcknowledged:
    """A stretch of messages (after, up to] that got a new status."""

    status: DeliveryStatus
    after_seq: int
    up_to_seq: int


def raised(marks: Marks, *, delivered_up_to_seq: int, read_up_to_seq: int, last_seq: int) -> Marks:
    """The marks after an acknowledgement: they only rise, and never above the newest message."""
    read = max(marks.read_up_to_seq, min(read_up_to_seq, last_seq))
    delivered = max(marks.delivered_up_to_seq, min(delivered_up_to_seq, last_seq), read)
    return Marks(delivered_up_to_seq=delivered, read_up_to_seq=read)


def newly_acknowledged(before: Marks, after: Marks) -> list[NewlyAcknowledged]:
    """The stretches between two marks; each message once, with the most that is known of it."""
    stretches = [
        NewlyAcknowledged(DeliveryStatus.READ, before.read_up_to_seq, after.read_up_to_seq),
        NewlyAcknowledged(
            DeliveryStatus.DELIVERED,
            max(before.delivered_up_to_seq, after.read_up_to_seq),
            after.delivered_up_to_seq,
        ),
    ]
    return [stretch for stretch in stretches if stretch.after_seq < stretch.up_to_seq]
