"""grpc.aio with nothing around it: a unary call that answers with its request.

    python -m bench.anchors.bare_grpc PORT

is the server; it runs as a process of its own, so that its CPU can be told from the client's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import uvloop

from bench.calls import CALL_SECONDS, calls_until
from bench.program import running
from bench.usage import cpu_seconds
from suite.infra.ports import LOOPBACK, free_port
from suite.settings import python_environment, python_program

METHOD = "/bench.Bare/Echo"
SIZE_BYTES = 100
WARM_UP_SECONDS = 0.5
SECONDS = 3.0


async def calls_per_core_second() -> float:
    """Of the server's core, with 16 clients."""
    port = free_port()
    command = [python_program(), "-P", "-m", "bench.anchors.bare_grpc", str(port)]
    with TemporaryDirectory(prefix="inbox-grpc-") as name:
        async with (
            running("grpc", command, Path(name), port, python_environment()) as pid,
            grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel,
        ):
            echo: Any = channel.unary_unary(METHOD)
            request = b"x" * SIZE_BYTES

            async def call() -> None:
                await echo(request, timeout=CALL_SECONDS)

            await calls_until(time.perf_counter() + WARM_UP_SECONDS, call)
            before = cpu_seconds(pid)
            count = await calls_until(time.perf_counter() + SECONDS, call)
            return count / (cpu_seconds(pid) - before)


async def serve(port: int) -> None:
    """Answer until ended."""

    async def echo(request: bytes, context: Any) -> bytes:
        return request

    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench.Bare", {"Echo": handler}),)
    )
    server.add_insecure_port(f"{LOOPBACK}:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
