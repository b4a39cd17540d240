"""Envoy's upstreams: which replica gets the next call, and when one gets none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.envoy.config import Upstream

Json = dict[str, Any]

PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
MAX_STREAMS = 100_000
"""Live streams last for hours: Envoy's own limit of 1,024 is for short requests."""


def grpc_cluster(upstream: Upstream) -> Json:
    """A gRPC service: HTTP/2, every call balanced by itself, checked by grpc.health.v1."""
    return _cluster(
        upstream,
        {
            "explicit_http_config": {
                "http2_protocol_options": {
                    "initial_stream_window_size": 1024 * 1024,
                    "initial_connection_window_size": 16 * 1024 * 1024,
                    "connection_keepalive": {"interval": "30s", "timeout": "5s"},
                }
            }
        },
        {"grpc_health_check": {}},
    )


def http_cluster(upstream: Upstream, *, health_path: str) -> Json:
    """An HTTP/1.1 service with WebSockets, checked by a path that answers 200 when ready."""
    return _cluster(
        upstream,
        {"explicit_http_config": {"http_protocol_options": {}}},
        {"http_health_check": {"path": health_path}},
    )


def _cluster(upstream: Upstream, protocol: Json, health: Json) -> Json:
    return {
        "name": upstream.name,
        "type": "STRICT_DNS" if upstream.by_name else "STATIC",
        "connect_timeout": "1s",
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "lb_policy": "LEAST_REQUEST",
        # A replica that failed its check gets nothing, also when it is the last one: the caller
        # hears UNAVAILABLE at once and tries again, instead of waiting for a dead address.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "typed_extension_protocol_options": {
            PROTOCOL_OPTIONS: {"@type": f"type.googleapis.com/{PROTOCOL_OPTIONS}", **protocol}
        },
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": MAX_STREAMS,
                    "max_pending_requests": MAX_STREAMS,
                    "max_requests": MAX_STREAMS,
                    "max_retries": 50,
                }
            ]
        },
        "health_checks": [
            {
                "timeout": "1s",
                "interval": "1s",
                "no_traffic_interval": "1s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                **health,
            }
        ],
        # Between two checks: a replica that refuses connections is left out at once. An error a
        # service answers by itself (INTERNAL) is no reason: the next replica has the same code.
        "outlier_detection": {
            "consecutive_gateway_failure": 5,
            "enforcing_consecutive_gateway_failure": 100,
            "enforcing_consecutive_5xx": 0,
            "enforcing_success_rate": 0,
            "interval": "1s",
            "base_ejection_time": "2s",
            "max_ejection_time": "30s",
            "max_ejection_percent": 50,
        },
        "load_assignment": {
            "cluster_name": upstream.name,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {
                            "endpoint": {
                                "address": {
                                    "socket_address": {"address": one.host, "port_value": one.port}
                                }
                            }
                        }
                        for one in upstream.endpoints
                    ]
                }
            ],
        },
    }
