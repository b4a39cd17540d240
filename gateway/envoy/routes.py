"""Which request goes where through the front door, how long it may take, how large it may be.

A path `/inbox.<domain>.v1.<Service>/<Method>` with content type application/grpc… is a team's
gRPC or gRPC-Web call and goes straight to the service; with any other content type it is a Connect
call and goes to the gateway, like everything else. Services' own RPCs (`inbox.event`), health,
reflection and the gateway's metrics are not reachable from outside.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import FileDescriptor

    from gateway.envoy.config import FrontDoor, Upstream

Json = dict[str, Any]

BUFFER = "envoy.filters.http.buffer"
CORS = "envoy.filters.http.cors"
FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
UNARY_TIMEOUT = "60s"
MAX_RPC_BYTES = 4 * 1024 * 1024 + 64 * 1024
"""A message of at most 4 MiB and what JSON or framing adds around it; the service is exact."""
MAX_WEBHOOK_BYTES = 1024 * 1024
MAX_SIGN_IN_BYTES = 64 * 1024
ALLOWED_METHODS = "GET,POST,OPTIONS"
ALLOWED_HEADERS = (
    "authorization,content-type,connect-protocol-version,connect-timeout-ms,grpc-timeout,"
    "traceparent,x-grpc-web,x-inbox-workspace,x-user-agent"
)
EXPOSED_HEADERS = "grpc-status,grpc-message,grpc-status-details-bin"
# Only when the service cannot have seen the call: the connection failed or the stream was refused.
SAFE_RETRIES = {
    "retry_on": "connect-failure,refused-stream",
    "num_retries": 2,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3"
                ".PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 3,
}


def route_configuration(front: FrontDoor) -> Json:
    """All routes, the most particular first."""
    return {
        "name": "front_door",
        "response_headers_to_remove": ["server", "x-powered-by"],
        "virtual_hosts": [
            {
                "name": "inbox",
                "domains": ["*"],
                "typed_per_filter_config": {CORS: _cors(front.allowed_origins)},
                "routes": [
                    *_internal_paths(),
                    *_grpc_routes(front),
                    *_simulator_routes(front.simulator),
                    *_gateway_routes(front.gateway),
                ],
            }
        ],
    }


def streaming_methods(domain: str) -> Iterator[str]:
    """The paths of a domain's RPCs that stream, from the contracts: these have no time limit."""
    for file in _service_files(domain):
        for service in file.services_by_name.values():
            for method in service.methods:
                if method.client_streaming or method.server_streaming:
                    yield f"/{service.full_name}/{method.name}"


def _service_files(domain: str) -> Iterator[FileDescriptor]:
    package = importlib.import_module(f"inbox.{domain}.v1")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.endswith("_service_pb2"):
            found = importlib.import_module(f"{package.__name__}.{module.name}")
            yield found.DESCRIPTOR


def _internal_paths() -> list[Json]:
    inside = [{"prefix": "/inbox.event."}, {"prefix": "/grpc."}, {"path": "/metrics"}]
    return [{"match": match, "direct_response": {"status": 404}} for match in inside]


def _grpc_routes(front: FrontDoor) -> Iterator[Json]:
    # Matched by hand, not by Envoy's own grpc matcher, which does not know gRPC-Web's types.
    is_grpc = [{"name": "content-type", "string_match": {"prefix": "application/grpc"}}]
    for domain, upstream in front.services.items():
        streams = sorted(streaming_methods(domain))
        for path in streams:
            yield {
                "match": {"path": path, "headers": is_grpc},
                "route": {
                    "cluster": upstream.name,
                    "timeout": "0s",
                    "idle_timeout": "0s",
                    "retry_policy": SAFE_RETRIES,
                },
            }
        yield {
            "match": {"prefix": f"/inbox.{domain}.", "headers": is_grpc},
            "route": {
                "cluster": upstream.name,
                "timeout": UNARY_TIMEOUT,
                "retry_policy": SAFE_RETRIES,
            },
            "typed_per_filter_config": _at_most(MAX_RPC_BYTES),
        }


def _simulator_routes(simulator: Upstream | None) -> list[Json]:
    if simulator is None:
        return []
    return [
        {
            "match": {"path_separated_prefix": "/simulator"},
            # The phone's page listens for as long as it is open.
            "route": {"cluster": simulator.name, "timeout": "0s", "idle_timeout": "60s"},
        }
    ]


def _gateway_routes(gateway: Upstream | None) -> list[Json]:
    if gateway is None:
        return []
    unary = {
        "cluster": gateway.name,
        "timeout": UNARY_TIMEOUT,
        "retry_policy": SAFE_RETRIES,
    }
    sockets = [
        {
            "match": {"path": path},
            "route": {
                "cluster": gateway.name,
                "timeout": "0s",
                # The gateway pings every 30 s and ends dead sockets itself.
                "idle_timeout": "0s",
                "upgrade_configs": [{"upgrade_type": "websocket"}],
            },
        }
        for path in ("/ws", "/ws/chat")
    ]
    limited = [
        {
            "match": {"prefix": prefix},
            "route": unary,
            "typed_per_filter_config": _at_most(size_bytes),
        }
        for prefix, size_bytes in (
            ("/inbox.", MAX_RPC_BYTES),
            ("/webhooks/", MAX_WEBHOOK_BYTES),
            ("/auth/", MAX_SIGN_IN_BYTES),
        )
    ]
    everything_else = {
        "match": {"prefix": "/"},
        # Files may take as long as they need while bytes move.
        "route": {
            "cluster": gateway.name,
            "timeout": "0s",
            "idle_timeout": "60s",
            "retry_policy": SAFE_RETRIES,
        },
    }
    return [*sockets, *limited, everything_else]


def _at_most(size_bytes: int) -> Json:
    return {
        BUFFER: {
            "@type": f"{FILTERS}.buffer.v3.BufferPerRoute",
            "buffer": {"max_request_bytes": size_bytes},
        }
    }


def _cors(allowed_origins: tuple[str, ...]) -> Json:
    """Other sites' pages get an answer only when listed, and never with our cookie."""
    return {
        "@type": f"{FILTERS}.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"exact": origin} for origin in allowed_origins],
        "allow_methods": ALLOWED_METHODS,
        "allow_headers": ALLOWED_HEADERS,
        "expose_headers": EXPOSED_HEADERS,
        "allow_credentials": False,
        "max_age": "600",
    }
