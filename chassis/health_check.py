"""Asks this machine's service whether it takes traffic: `python -m chassis.health_check`.

For containers: INBOX_LISTEN says where the service listens; exit code 0 means SERVING.
"""

from __future__ import annotations

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.settings import host_and_port

ANSWER_WITHIN_SECONDS = 2.0


def is_serving(listen: str) -> bool:
    """Whether the service that listens there says SERVING."""
    _, port = host_and_port(listen)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=ANSWER_WITHIN_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    address = os.environ.get("INBOX_LISTEN")  # noqa: TID251 - a command of its own
    if not address:
        sys.exit("set INBOX_LISTEN to the address the service listens on")
    sys.exit(0 if is_serving(address) else 1)
