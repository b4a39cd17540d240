"""Envoy's bootstrap as a value: listener, filters and what protects the front door."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.envoy import clusters, routes

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

MAX_REQUEST_HEADERS_KIB = 32
MAX_DOWNSTREAM_CONNECTIONS = 50_000
HTTP_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
CONNECTION_MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
    ".HttpConnectionManager"
)
TLS_CONTEXT = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where one replica listens, or a name that resolves to all of them."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """A service and its replicas."""

    name: str
    endpoints: tuple[Endpoint, ...]
    by_name: bool = False
    """The hosts are DNS names, asked again and again, rather than addresses."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What the front door shows who it is: PEM files, which Envoy reads when it starts."""

    chain_file: str
    key_file: str


@dataclass(frozen=True, kw_only=True)
class FrontDoor:
    """Everything the configuration depends on."""

    port: int
    admin_port: int
    address: str = "127.0.0.1"
    certificate: Certificate | None = None
    """With one the port speaks TLS and nothing else; without, something before it has to."""
    services: Mapping[str, Upstream] = field(default_factory=dict)
    """gRPC services by protobuf domain: `messaging` serves `/inbox.messaging.…`."""
    gateway: Upstream | None = None
    simulator: Upstream | None = None
    allowed_origins: tuple[str, ...] = ()
    """Other sites whose pages may call the RPCs with a credential of their own."""


def render(front: FrontDoor) -> Json:
    """The bootstrap configuration; Envoy reads it as JSON."""
    return {
        "admin": {"address": _socket("127.0.0.1", front.admin_port)},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.resource_monitors"
                        ".downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": MAX_DOWNSTREAM_CONNECTIONS,
                    },
                }
            ]
        },
        "static_resources": {
            "listeners": [
                {
                    "name": "front_door",
                    "address": _socket(front.address, front.port),
                    "per_connection_buffer_limit_bytes": 1024 * 1024,
                    "filter_chains": [
                        {"filters": [_connection_manager(front)], **_tls(front.certificate)}
                    ],
                }
            ],
            "clusters": _clusters(front),
        },
    }


def _tls(certificate: Certificate | None) -> Json:
    if certificate is None:
        return {}
    return {
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": TLS_CONTEXT,
                "common_tls_context": {
                    # gRPC clients insist on h2; a browser's socket asks for http/1.1.
                    "alpn_protocols": ["h2", "http/1.1"],
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                    "tls_certificates": [
                        {
                            "certificate_chain": {"filename": certificate.chain_file},
                            "private_key": {"filename": certificate.key_file},
                        }
                    ],
                },
            },
        }
    }


def _connection_manager(front: FrontDoor) -> Json:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": CONNECTION_MANAGER,
            "stat_prefix": "front_door",
            "codec_type": "AUTO",
            # The caller's address for rate limits and audit, taken from the connection: what
            # the caller claims in x-forwarded-for or x-envoy-* is dropped.
            "use_remote_address": True,
            # Neither our name nor our upstreams' is told to strangers.
            "server_header_transformation": "PASS_THROUGH",
            # One reading of a path: what a route matches is what the service sees.
            "normalize_path": True,
            "merge_slashes": True,
            "path_with_escaped_slashes_action": "REJECT_REQUEST",
            "max_request_headers_kb": MAX_REQUEST_HEADERS_KIB,
            "request_headers_timeout": "10s",
            # Routes set the idle time of a stream; a connection without streams ends after this.
            "stream_idle_timeout": "300s",
            "common_http_protocol_options": {
                "idle_timeout": "3600s",
                "headers_with_underscores_action": "ALLOW",
            },
            "http2_protocol_options": {
                "max_concurrent_streams": 256,
                "initial_stream_window_size": 1024 * 1024,
                "initial_connection_window_size": 4 * 1024 * 1024,
                # Finds peers that vanished without a word; their streams have no other end.
                "connection_keepalive": {"interval": "30s", "timeout": "10s"},
            },
            "upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}],
            "route_config": routes.route_configuration(front),
            "http_filters": _http_filters(),
        },
    }


def _http_filters() -> list[Json]:
    return [
        {
            "name": "envoy.filters.http.cors",
            "typed_config": {"@type": f"{HTTP_FILTERS}.cors.v3.Cors"},
        },
        {
            "name": "envoy.filters.http.grpc_web",
            "typed_config": {"@type": f"{HTTP_FILTERS}.grpc_web.v3.GrpcWeb"},
        },
        {
            # On only for routes that say how large a body may be; streams must not be gathered.
            "name": routes.BUFFER,
            "disabled": True,
            "typed_config": {
                "@type": f"{HTTP_FILTERS}.buffer.v3.Buffer",
                "max_request_bytes": routes.MAX_RPC_BYTES,
            },
        },
        {
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": f"{HTTP_FILTERS}.router.v3.Router",
                "suppress_envoy_headers": True,
            },
        },
    ]


def _clusters(front: FrontDoor) -> list[Json]:
    made = [clusters.grpc_cluster(upstream) for upstream in front.services.values()]
    if front.gateway:
        made.append(clusters.http_cluster(front.gateway, health_path="/readyz"))
    if front.simulator:
        made.append(clusters.http_cluster(front.simulator, health_path="/healthz"))
    return made


def _socket(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}
