"""What happened in a workspace: the events of three streams, and positions in them."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1

MESSAGING, CONVERSATION, IDENTITY = "INBOX_MESSAGING", "INBOX_CONVERSATION", "INBOX_IDENTITY"
STREAMS = (CONVERSATION, IDENTITY, MESSAGING)
CONVERSATION_ID = "0192f0c1-7c00-7000-8000-00000000c000"

Vector = dict[str, int]


@dataclass
class Log:
    """What happened in the one workspace there is."""

    epoch: str = "e1"
    frames: dict[str, list[realtime_v1.ServerFrame]] = field(
        default_factory=lambda: {stream: [] for stream in STREAMS}
    )
    """Body only; a frame's gpos is its index + 1."""
    kept_from: Vector = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    """Positions below cannot be resumed."""
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    last_seq: int = 0

    def append(self, stream: str, frame: realtime_v1.ServerFrame) -> None:
        self.frames[stream].append(frame)
        self.grown.set()
        self.grown = asyncio.Event()

    def heads(self) -> Vector:
        return {stream: len(frames) for stream, frames in self.frames.items()}

    def write(self, vector: Vector) -> str:
        position = realtime_v1.Position(
            streams=[
                realtime_v1.StreamPosition(stream=name, log_epoch=self.epoch, gpos=gpos)
                for name, gpos in sorted(vector.items())
            ]
        )
        return base64.urlsafe_b64encode(position.SerializeToString()).decode().rstrip("=")

    def read(self, text: str) -> Vector | None:
        """None when it cannot be resumed."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            streams = realtime_v1.Position.FromString(raw).streams
        except Exception:  # noqa: BLE001 - whatever a client made up
            return None
        vector = {stream.stream: stream.gpos for stream in streams}
        if any(stream.log_epoch != self.epoch for stream in streams) or set(vector) != set(STREAMS):
            return None
        is_kept = all(self.kept_from[name] <= gpos for name, gpos in vector.items())
        heads = self.heads()
        return vector if is_kept and all(vector[n] <= heads[n] for n in STREAMS) else None

    def message(self, text: str, **more: Any) -> messaging_v1.Message:
        """Commit a message as a service would."""
        self.last_seq += 1
        seq = self.last_seq
        given = {
            "id": f"m-{seq}",
            "conversation_id": CONVERSATION_ID,
            "seq": seq,
            "text": text,
            "version": seq,
            "author": messaging_v1.Author(kind=messaging_v1.AUTHOR_KIND_CUSTOMER),
            **more,
        }
        message = messaging_v1.Message(**given)
        created = messaging_v1.MessageCreated(message=message)
        self.append(MESSAGING, realtime_v1.ServerFrame(message_created=created))
        return message

    def conversation_read(self, version: int) -> None:
        conversation = conversation_v1.Conversation(id=CONVERSATION_ID, version=version)
        read = conversation_v1.ConversationRead(conversation=conversation)
        self.append(CONVERSATION, realtime_v1.ServerFrame(conversation_read=read))

    def session_revoked(self, session_id: str) -> None:
        revoked = identity_v1.SessionRevoked(session_id=session_id)
        self.append(IDENTITY, realtime_v1.ServerFrame(session_revoked=revoked))

    def member_changed(self, **member: Any) -> None:
        changed = identity_v1.MemberChanged(member=identity_v1.Member(**member))
        self.append(IDENTITY, realtime_v1.ServerFrame(member_changed=changed))
