"""The two ways a live socket can speak: the subprotocol chooses binary protobuf or proto3 JSON."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from gateway.frames import FrameInvalid, Opcode, Received, frame

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = TypeVar("Kind", bound=Message)

MAX_JSON_DEPTH = 32


class Encoding(enum.Enum):
    """The value is the subprotocol's name."""

    PROTO = "inbox.v1.proto"
    JSON = "inbox.v1.json"

    @staticmethod
    def chosen_from(offered: Iterable[str]) -> Encoding | None:
        """The first offer we know."""
        known = {encoding.value: encoding for encoding in Encoding}
        return next((known[name] for name in offered if name in known), None)

    def encode(self, message: Message) -> bytes:
        """A whole WebSocket frame."""
        if self is Encoding.PROTO:
            return frame(Opcode.BINARY, message.SerializeToString())
        return frame(Opcode.TEXT, as_json(message))

    def encode_raw(self, raw: bytes, kind: type[Message]) -> bytes:
        """The same for a message that is serialised already."""
        if self is Encoding.PROTO:
            return frame(Opcode.BINARY, raw)
        return frame(Opcode.TEXT, as_json(kind.FromString(raw)))

    def decode(self, received: Received, kind: type[Kind]) -> Kind:
        """Read a client's message. Raises: FrameInvalid."""
        if received.opcode is not (Opcode.BINARY if self is Encoding.PROTO else Opcode.TEXT):
            expected = "binary" if self is Encoding.PROTO else "text"
            raise FrameInvalid(f"{self.value} takes {expected} frames")
        message = kind()
        try:
            if self is Encoding.PROTO:
                message.ParseFromString(received.payload)
            else:
                json_format.Parse(received.payload, message, max_recursion_depth=MAX_JSON_DEPTH)
        except (DecodeError, json_format.ParseError, ValueError, RecursionError):
            # The parser's text may quote what a customer or an agent wrote.
            raise FrameInvalid(f"that is not a {kind.DESCRIPTOR.name} as {self.value}") from None
        return message


def as_json(message: Message) -> bytes:
    """proto3 JSON on one line."""
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()
