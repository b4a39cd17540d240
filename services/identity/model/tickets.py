"""Tickets: they open a live socket once and soon, and are kept nowhere until they are used."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.ids import WorkspaceId

TICKET_LASTS = timedelta(seconds=30)
USED_KEPT_FOR = timedelta(minutes=5)
"""Beyond a ticket's own end: further than two replicas' clocks may be apart."""
TICKET = re.compile(r"it_([A-Za-z0-9_-]{72})\.([A-Za-z0-9_-]{43})")
OF_KEY = b"k"
OF_SESSION = b"s"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says; identity's signature beside it makes it good."""

    id: str
    workspace_id: WorkspaceId
    credential_id: str
    """The session or key it was made with."""
    is_of_key: bool
    expire_time: datetime
    """In whole seconds."""

    @property
    def body(self) -> bytes:
        """What is signed: 54 bytes, so that base64 needs no padding."""
        ids = (self.id, self.workspace_id, self.credential_id)
        seconds = int(self.expire_time.timestamp())
        kind = OF_KEY if self.is_of_key else OF_SESSION
        return b"".join((*(UUID(one).bytes for one in ids), seconds.to_bytes(5), kind))

    def text(self, mac: bytes) -> str:
        """As it is handed out."""
        return f"it_{_encoded(self.body)}.{_encoded(mac)}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket as somebody shows it: whether it is ours is still to be seen."""

    ticket: Ticket
    mac: bytes


def parse_ticket(text: str) -> Shown | None:
    """Read a ticket; None when it is not one."""
    match = TICKET.fullmatch(text)
    if match is None:
        return None
    body, mac = _decoded(match[1]), _decoded(match[2] + "=")
    kind = body[53:]
    if kind not in {OF_KEY, OF_SESSION}:
        return None
    ids = [str(UUID(bytes=body[start : start + 16])) for start in (0, 16, 32)]
    ticket = Ticket(
        id=ids[0],
        workspace_id=WorkspaceId(ids[1]),
        credential_id=ids[2],
        is_of_key=kind == OF_KEY,
        expire_time=datetime.fromtimestamp(0, UTC) + timedelta(seconds=int.from_bytes(body[48:53])),
    )
    return Shown(ticket, mac)


def _encoded(given: bytes) -> str:
    return base64.urlsafe_b64encode(given).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
