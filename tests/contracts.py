"""Every gRPC service of the contracts, found by itself, so that no test can forget one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

import inbox
from chassis.auth import Role
from inbox.policy import v1 as policy_v1
from inbox.policy.v1.policy_pb2 import MethodPolicy, method_policy

STUBS = "_pb2_grpc"
SERVED_BY_TEAMS = frozenset({"AgentService"})
"""Contracts of programs that Inbox calls, and nobody here serves."""
ROLES = {
    Role.OWNER: policy_v1.ROLE_OWNER,
    Role.AGENT: policy_v1.ROLE_AGENT,
    Role.READ_ONLY: policy_v1.ROLE_READ_ONLY,
    Role.BOT: policy_v1.ROLE_BOT,
    Role.SERVICE: policy_v1.ROLE_SERVICE,
    Role.VISITOR: policy_v1.ROLE_VISITOR,
}
"""The contract's roles as the code knows them, written here once more on purpose."""


@dataclass(frozen=True)
class Contract:
    """One service: its descriptor and its generated code."""

    service: ServiceDescriptor
    module: ModuleType

    @property
    def add_to_server(self) -> Any:
        return getattr(self.module, f"add_{self.service.name}Servicer_to_server")

    @property
    def servicer(self) -> Any:
        return getattr(self.module, f"{self.service.name}Servicer")


@dataclass(frozen=True)
class Rpc:
    """One method."""

    descriptor: MethodDescriptor

    @property
    def name(self) -> str:
        return f"{self.descriptor.containing_service.name}/{self.descriptor.name}"

    @property
    def path(self) -> str:
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def policy(self) -> MethodPolicy:
        option: MethodPolicy = self.descriptor.GetOptions().Extensions[method_policy]
        return option

    def request(self, **fields: Any) -> Message:
        return message_factory.GetMessageClass(self.descriptor.input_type)(**fields)

    def response(self) -> Message:
        return message_factory.GetMessageClass(self.descriptor.output_type)()


def all_contracts() -> list[Contract]:
    """Every service below `inbox` that is served here."""
    found: list[Contract] = []
    for info in pkgutil.walk_packages(inbox.__path__, "inbox."):
        if not info.name.endswith(STUBS):
            continue
        messages = importlib.import_module(info.name.removesuffix("_grpc"))
        module = importlib.import_module(info.name)
        found += [
            Contract(descriptor_pool.Default().FindServiceByName(service.full_name), module)
            for service in messages.DESCRIPTOR.services_by_name.values()
            if service.name not in SERVED_BY_TEAMS
        ]
    return found


def all_rpcs() -> Iterator[Rpc]:
    """Every method of every service."""
    for contract in all_contracts():
        for method in contract.service.methods:
            yield Rpc(method)


async def call(channel: Any, rpc: Rpc, request: Message, **kwargs: Any) -> list[Message]:
    """Call a method of any shape with one request; its responses."""
    method = rpc.descriptor
    shape = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }[(method.client_streaming, method.server_streaming)]
    multicallable = shape(
        rpc.path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )

    async def requests() -> Any:
        yield request

    answer = multicallable(requests() if method.client_streaming else request, **kwargs)
    if method.server_streaming:
        return [response async for response in answer]
    return [await answer]
