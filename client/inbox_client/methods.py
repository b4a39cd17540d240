"""What the contracts say about a method: whether it only reads, and which field is its id."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TypeVar

from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message

from inbox.policy.v1.policy_pb2 import method_policy

ID_FIELDS = ("client_message_id", "request_id")
"""A write that carries one of them does nothing when it is repeated."""
LONGEST_TRANSFER = timedelta(minutes=15)
"""What Inbox allows a stream of a file's bytes."""

Request = TypeVar("Request", bound=Message)


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC."""

    path: str
    is_read_only: bool
    id_field: str
    """Empty where a request has none."""
    longest: timedelta | None
    """For a stream: when it ends at the latest; None when it has no end of its own."""

    @property
    def may_be_repeated(self) -> bool:
        """Whether doing it twice is doing it once, so that a lost answer costs nothing."""
        return self.is_read_only or bool(self.id_field)

    def completed(self, request: Request) -> Request:
        """The request as every try sends it: a copy with an id, unless it has its own."""
        sent = type(request)()
        sent.CopyFrom(request)
        if self.id_field and not getattr(sent, self.id_field):
            setattr(sent, self.id_field, new_id())
        return sent


def new_id() -> str:
    """A fresh UUID."""
    return str(uuid.uuid4())  # noqa: TID251 - a stranger's program has no chassis


@cache
def method_of(path: str) -> Method:
    """The method at `/package.Service/Method`."""
    found = Default().FindMethodByName(path.removeprefix("/").replace("/", "."))
    fields = found.input_type.fields_by_name
    is_endless = found.server_streaming and (
        found.client_streaming or found.name.startswith("Watch")
    )
    is_stream = found.client_streaming or found.server_streaming
    return Method(
        path=path,
        is_read_only=found.GetOptions().Extensions[method_policy].read_only,
        id_field="" if is_stream else next((name for name in ID_FIELDS if name in fields), ""),
        longest=None if is_endless else LONGEST_TRANSFER,
    )
