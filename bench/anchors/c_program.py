"""The least a server can pay: a C program that writes one event to many sockets."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.report import Limit

NAME = "C, one send() per socket"
SOURCE = Path(__file__).with_name("fan_out.c")
COMPILE_SECONDS = 60
RUN_SECONDS = 120


async def cpu_micros_per_delivery(sockets: int, rounds: int, size_bytes: int) -> Limit:
    """Its CPU for each socket that gets the event."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return Limit(NAME, None, "no C compiler; Debian package gcc")
    with TemporaryDirectory(prefix="inbox-fan-out-") as folder:
        program = f"{folder}/fan_out"
        await asyncio.to_thread(
            subprocess.run,
            [compiler, "-O2", "-o", program, str(SOURCE)],
            check=True,
            timeout=COMPILE_SECONDS,
        )
        sink = await asyncio.start_server(_swallow, "127.0.0.1", 0, backlog=4096)
        async with sink:
            port = sink.sockets[0].getsockname()[1]
            arguments = map(str, (port, sockets, rounds, size_bytes))
            process = await asyncio.create_subprocess_exec(
                program, *arguments, stdout=subprocess.PIPE
            )
            try:
                async with asyncio.timeout(RUN_SECONDS):
                    printed, _ = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
    return Limit(NAME, float(printed))


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1 << 16):
        pass
    writer.close()
