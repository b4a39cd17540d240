"""Whatever comes in over gRPC is answered or refused with a reason; it is never a fault of ours.

Every RPC of every service gets random bytes, cut and flipped messages, and well-formed messages
full of hostile values. The seed is printed when something goes wrong; INBOX_FUZZ_SEED repeats it.
"""

from __future__ import annotations

import random
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.auth import Role
from chassis.ids import new_id
from chassis.rpc import remote_fault
from chassis.rpc.channel import Metadata
from inbox.error import v1 as error_v1
from suite.settings import process_environment
from tests.contracts import ROLES, Rpc, all_rpcs
from tests.malice import input_count, tries_many
from tests.serving import SERVICE_KEY, bearer
from tests.system.services import Services
from tests.system.tenants import Tenant, a_tenant

INPUTS = 1_200
MAX_GROWTH_MIB = 50
"""Of this process, which all services run in."""
ANSWER_SECONDS = 10.0
STREAM_SECONDS = 0.3
MAX_DEPTH = 4
TEXTS = (
    "",
    "x",
    " ",
    "a\x00b",
    "\ufeff\u202e\u200b",
    "🙂" * 500,
    "x" * 20_000,
    "'; DROP TABLE members; --",
    "../../../../etc/passwd",
    "%s%n{0}${x}",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "\r\nInjected: yes",
)
NUMBERS = (0, 1, -1, 2, 255, 2**31 - 1, -(2**31), 2**32, 2**53, 2**63 - 1, -(2**63))
OURS = {"INTERNAL", "UNKNOWN", "DATA_LOSS"}
INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}


class Malice:
    """Makes inputs nobody should send, from a seed."""

    def __init__(self, seed: int, tenant: Tenant) -> None:
        self._random = random.Random(seed)
        self._ids = [
            value for value in vars(tenant).values() if isinstance(value, str) and "-" in value
        ]

    def requests(self, rpc: Rpc, count: int) -> Iterator[bytes]:
        """Some inputs for one method."""
        for number in range(count):
            message = self._message(rpc.descriptor.input_type, 0).SerializeToString()
            yield (message, self._cut(message), self._flip(message), self._noise())[number % 4]

    def _message(self, descriptor: Descriptor, depth: int) -> Message:
        message = message_factory.GetMessageClass(descriptor)()
        for field in descriptor.fields:
            if self._random.random() < 0.3 or depth > MAX_DEPTH:
                continue
            self._fill(message, field, depth)
        return message

    def _fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            keys = [self._random.choice(TEXTS) for _ in range(3)]
            getattr(message, field.name).update({key: self._random.choice(TEXTS) for key in keys})
            return
        count = self._random.choice((1, 1, 2, 40)) if field.is_repeated else 1
        for _ in range(count):
            if field.message_type is not None:
                value = self._message(field.message_type, depth + 1)
                target = getattr(message, field.name)
                (target.add() if field.is_repeated else target).CopyFrom(value)
            elif field.is_repeated:
                getattr(message, field.name).append(self._scalar(field))
            else:
                setattr(message, field.name, self._scalar(field))

    def _scalar(self, field: FieldDescriptor) -> Any:
        if field.cpp_type in INTEGERS:
            low, high = INTEGERS[field.cpp_type]
            return min(max(self._random.choice(NUMBERS), low), high)
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return self._random.random() < 0.5
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._noise()
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return self._text(field.name)
        return self._random.choice((0.0, -1.0, 1e308, float("inf"), float("nan")))

    def _text(self, name: str) -> str:
        """Mostly what gets past the first check, so that the later ones are met too."""
        if self._random.random() < 0.3:
            return self._random.choice(TEXTS)
        if name in {"request_id", "client_message_id"}:
            return new_id()
        if name.endswith("_id"):
            return self._random.choice(self._ids)
        return self._random.choice(("plain", "a@b.example", "2026", *self._ids))

    def _cut(self, content: bytes) -> bytes:
        return content[: self._random.randrange(len(content) + 1)]

    def _flip(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(min(len(changed), 4)):
            changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.choice((0, 1, 7, 300, 5000)))


def credential_for(rpc: Rpc, tenant: Tenant) -> Metadata:
    """One that gets as far into the method as anybody can."""
    if ROLES[Role.OWNER] in rpc.policy.roles:
        return tenant.owner_key
    if ROLES[Role.VISITOR] in rpc.policy.roles:
        return tenant.callers[Role.VISITOR]
    if rpc.policy.anonymous or rpc.policy.across_workspaces:
        return bearer(SERVICE_KEY)
    return tenant.callers[Role.SERVICE]


async def answer_to(services: Services, rpc: Rpc, content: bytes, metadata: Metadata) -> str:
    """OK, or the code and reason of the refusal."""
    method = rpc.descriptor
    opened = services.channel_for(rpc)
    endless = method.server_streaming and method.name.startswith("Watch")
    options = {"metadata": metadata, "timeout": STREAM_SECONDS if endless else ANSWER_SECONDS}

    async def contents() -> AsyncIterator[bytes]:
        yield content

    given: Any = contents() if method.client_streaming else content
    try:
        if method.server_streaming:
            shape = opened.stream_stream if method.client_streaming else opened.unary_stream
            async for _ in shape(rpc.path)(given, **options):
                pass
        else:
            shape = opened.stream_unary if method.client_streaming else opened.unary_unary
            await shape(rpc.path)(given, **options)
    except grpc.aio.AioRpcError as error:
        if endless and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return "OK"
        return f"{error.code().name} {remote_fault(error).reason}"
    return "OK"


def resident_mib() -> float:
    """What this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@tries_many
async def test_every_rpc_answers_malice_with_a_reason(services: Services) -> None:
    seed = int(process_environment().get("INBOX_FUZZ_SEED") or random.randrange(2**32))
    rpcs = list(all_rpcs())
    count = -(-input_count(INPUTS) // len(rpcs))
    tenant = await a_tenant(services, "a-tenant")
    malice = Malice(seed, tenant)
    known = {name.removeprefix("REASON_") for name in error_v1.Reason.keys()}  # noqa: SIM118

    odd: dict[str, str] = {}
    turned_away = 0
    resident_before = resident_mib()
    for rpc in rpcs:
        metadata = credential_for(rpc, tenant)
        for content in malice.requests(rpc, count):
            answer = await answer_to(services, rpc, content, metadata)
            code, _, reason = answer.partition(" ")
            turned_away += reason in {"CREDENTIAL_INVALID", "RATE_LIMITED", "ROLE_NOT_ALLOWED"}
            if code in OURS or (code != "OK" and reason not in known):
                odd[f"{rpc.name} {content[:60].hex()}"] = answer

    growth = resident_mib() - resident_before
    print(f"T12 {count * len(rpcs)} inputs for {len(rpcs)} RPCs, seed {seed}, +{growth:.0f} MiB")
    assert odd == {}, f"seed {seed}"
    assert growth <= MAX_GROWTH_MIB
    assert turned_away < count * 5, "hardly anything got past the door"


async def test_a_nested_message_without_end_is_refused(services: Services) -> None:
    """A decoder that follows nesting for ever would take the process with it."""
    tenant = await a_tenant(services, "a-tenant")
    sign_in = next(rpc for rpc in all_rpcs() if rpc.name == "IdentityService/SignIn")
    nested = b""
    for _ in range(5000):
        nested = b"\x0b" + nested + b"\x0c"

    answer = await answer_to(services, sign_in, nested, tenant.callers[Role.OWNER])

    assert answer == "INVALID_ARGUMENT INVALID_ARGUMENT"
