"""What it costs to hand a message from one process to another: a ping-pong over loopback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from time import perf_counter

from bench.report import percentile

ROUNDS = 3_000
SIZE_BYTES = 400
ANSWER_SECONDS = 10.0
ECHO = """
import socket, sys
to = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while data := to.recv(65536):
    to.sendall(data)
"""


async def hop_millis() -> float:
    """One way between two blocking programs, p50: half of there and back."""
    return await asyncio.to_thread(_measure)


def _measure() -> float:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(ANSWER_SECONDS)
        command = [sys.executable, "-I", "-S", "-c", ECHO, str(door.getsockname()[1])]
        with subprocess.Popen(command) as echo:
            try:
                connection, _ = door.accept()
                with connection:
                    return _ping(connection)
            finally:
                echo.kill()


def _ping(connection: socket.socket) -> float:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(ANSWER_SECONDS)
    message, taken = b"x" * SIZE_BYTES, []
    for _ in range(ROUNDS):
        began = perf_counter()
        connection.sendall(message)
        left = SIZE_BYTES
        while left:
            left -= len(connection.recv(left))
        taken.append(perf_counter() - began)
    return percentile(taken, 0.5) / 2 * 1e3
