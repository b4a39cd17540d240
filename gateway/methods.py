"""The public methods, read from the contracts' descriptors: no line per RPC anywhere here.

`inbox.event.*` is left out: only the suite's own processes call it, and never through this door.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import message_factory

from inbox.policy.v1 import policy_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
    from google.protobuf.message import Message

PUBLIC_DOMAINS = ("identity", "conversation", "messaging", "media", "assistant", "realtime")
"""Each is a package `inbox.<domain>.v1` and a service with an address of its own."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC as a forwarder sees it."""

    path: str
    """`/inbox.messaging.v1.MessagingService/SendMessage`."""
    domain: str
    """Which service answers it."""
    request: type[Message]
    response: type[Message]
    is_streaming: bool
    is_anonymous: bool
    """No credential is needed, so the session's is not looked up."""


def public_methods() -> Mapping[str, Method]:
    """Every public RPC by its path."""
    return {
        method.path: method
        for domain in PUBLIC_DOMAINS
        for service in _services(domain)
        for method in _methods(domain, service)
    }


def _services(domain: str) -> Iterator[ServiceDescriptor]:
    package = importlib.import_module(f"inbox.{domain}.v1")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name.endswith("_service_pb2"):
            file: Any = importlib.import_module(module.name).DESCRIPTOR
            yield from file.services_by_name.values()


def _methods(domain: str, service: ServiceDescriptor) -> Iterator[Method]:
    for method in service.methods:
        yield Method(
            path=f"/{service.full_name}/{method.name}",
            domain=domain,
            request=message_factory.GetMessageClass(method.input_type),
            response=message_factory.GetMessageClass(method.output_type),
            is_streaming=method.client_streaming or method.server_streaming,
            is_anonymous=_is_anonymous(method),
        )


def _is_anonymous(method: MethodDescriptor) -> bool:
    policy: policy_pb2.MethodPolicy = method.GetOptions().Extensions[policy_pb2.method_policy]
    return policy.anonymous
