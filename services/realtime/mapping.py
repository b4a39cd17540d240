"""Positions and frames as bytes, composed without decoding an event.

A frame is its position, the position before it, and the event's own payload as the field that the
event has in ServerFrame; protobuf messages may be put together by joining their fields.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from google.protobuf.message import DecodeError

from inbox.realtime import v1 as realtime_v1
from services.realtime.model import STREAMS, Life, Vector, packed

MAX_POSITION_CHARACTERS = 4_096
MAX_GPOS = 2**62
BYTES = 2
_MORE = 0x80
_FRAME = realtime_v1.ServerFrame.DESCRIPTOR


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= _MORE:
        out.append(number & 0x7F | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def _tag(field: int) -> bytes:
    return _varint(field << 3 | BYTES)


POSITION_TAG = _tag(_FRAME.fields_by_name["position"].number)
PREVIOUS_TAG = _tag(_FRAME.fields_by_name["previous"].number)
FRAMES_TAG = _tag(realtime_v1.WatchResponse.DESCRIPTOR.fields_by_name["frames"].number)
REF_TAG = _varint(realtime_v1.WorkspaceFrames.DESCRIPTOR.fields_by_name["ref"].number << 3)
WORKSPACES_TAG = _tag(
    realtime_v1.WatchWorkspacesResponse.DESCRIPTOR.fields_by_name["workspaces"].number
)
GPOS_TAG = _varint(realtime_v1.StreamPosition.DESCRIPTOR.fields_by_name["gpos"].number << 3)
STREAMS_TAG = _tag(realtime_v1.Position.DESCRIPTOR.fields_by_name["streams"].number)

EVENT_TAGS = {
    (field.message_type.file.package.split(".")[1], field.name): _tag(field.number)
    for field in _FRAME.fields
    if field.message_type is not None and field.message_type.file.package != _FRAME.file.package
}
"""Domain and event name → the tag of its field in a frame."""

IDLE = _tag(_FRAME.fields_by_name["idle"].number) + b"\x00"
RESYNC_REQUIRED = _tag(_FRAME.fields_by_name["resync_required"].number) + b"\x00"


class Positions:
    """Spells vectors of one life: all but the numbers is always the same."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self._heads = [
            realtime_v1.StreamPosition(stream=stream, log_epoch=epoch).SerializeToString()
            for stream, epoch in zip(STREAMS, life, strict=True)
        ]

    def write(self, vector: Vector) -> str:
        """The opaque position of a vector."""
        parts: list[bytes] = []
        for head, gpos in zip(self._heads, vector, strict=True):
            # A zero is not written, as everywhere in proto3.
            stream = head + GPOS_TAG + _varint(gpos) if gpos else head
            parts += (STREAMS_TAG, _varint(len(stream)), stream)
        return base64.urlsafe_b64encode(b"".join(parts)).rstrip(b"=").decode()

    def read(self, position: str) -> Vector | None:
        """The vector of a position; None when it is none of this life's."""
        if not position or len(position) > MAX_POSITION_CHARACTERS:
            return None
        try:
            padded = position + "=" * (-len(position) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
            streams = realtime_v1.Position.FromString(raw).streams
        except (binascii.Error, ValueError, DecodeError):
            return None
        if tuple(stream.stream for stream in streams) != STREAMS:
            return None
        if tuple(stream.log_epoch for stream in streams) != self.life:
            return None
        vector = tuple(stream.gpos for stream in streams)
        return vector if all(0 <= gpos < MAX_GPOS for gpos in vector) else None


def event_body(subject: str, payload: bytes) -> bytes | None:
    """An event as a field of a frame; None for one that watchers are not told."""
    _, domain, _, event, *_ = subject.split(".")
    tag = EVENT_TAGS.get((domain, event))
    return tag + _varint(len(payload)) + payload if tag is not None else None


def chunk_of(position: str, previous: str, body: bytes) -> bytes:
    """A frame of the chain, as a member of a WatchResponse."""
    head = (
        POSITION_TAG + _varint(len(position)) + position.encode()
        + PREVIOUS_TAG + _varint(len(previous)) + previous.encode()
    )  # fmt: skip
    return FRAMES_TAG + _varint(len(head) + len(body)) + head + body


def bundled(gathered: Sequence[tuple[int, bytes]]) -> list[bytes]:
    """Refs and their frames as WatchWorkspacesResponses of a bearable size.

    The frames are members of a WatchResponse; in WorkspaceFrames they have the same field.
    """
    return [message for message, _ in packed([_share(ref, frames) for ref, frames in gathered])]


def _share(ref: int, frames: bytes) -> bytes:
    head = REF_TAG + _varint(ref)
    return WORKSPACES_TAG + _varint(len(head) + len(frames)) + head + frames


def loose_chunk(frame: realtime_v1.ServerFrame) -> bytes:
    """A frame without a position, as a member of a WatchResponse."""
    raw = frame.SerializeToString()
    return FRAMES_TAG + _varint(len(raw)) + raw


def presence_chunk(said: bytes) -> bytes:
    """The word about a member, given as serialised presence."""
    presence = realtime_v1.Presence.FromString(said)
    return loose_chunk(realtime_v1.ServerFrame(presence=presence))


def at_rest(presence: realtime_v1.Presence) -> bytes:
    """What is said of a member once they type no more, serialised."""
    resting = realtime_v1.Presence()
    resting.CopyFrom(presence)
    resting.is_typing = False
    return resting.SerializeToString()


def gone_chunk(member_id: str) -> bytes:
    """The word that a member left."""
    gone = realtime_v1.Presence(member_id=member_id, is_gone=True)
    return loose_chunk(realtime_v1.ServerFrame(presence=gone))


def ai_writing_chunk(conversation_id: str, *, is_writing: bool) -> bytes:
    """The word that the AI writes, or stopped."""
    writing = realtime_v1.AiWriting(conversation_id=conversation_id, is_writing=is_writing)
    return loose_chunk(realtime_v1.ServerFrame(ai_writing=writing))


def present_chunk(members: Sequence[bytes]) -> bytes:
    """Everybody who is there, each given as serialised presence."""
    everybody = [realtime_v1.Presence.FromString(member) for member in members]
    present = realtime_v1.PresentMembers(members=everybody)
    return loose_chunk(realtime_v1.ServerFrame(present_members=present))
