"""nginx with the nchan module: one event to many subscribers, where both are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.broadcast import Broadcast
from bench.program import running
from bench.sockets import Socket, Tally, connect_groups, hang_up, stamped
from suite.infra.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "nginx with nchan"
MISSING = "not installed; Debian packages nginx and libnginx-mod-nchan"
MODULE = "ngx_nchan_module.so"
ASK_SECONDS = 10
CONFIGURATION = """
load_module {module};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    nchan_shared_memory_size 128M;
    server {{
        listen {address} backlog=4096;
        nchan_store_messages off;
        location ~ ^/listen/(\\d+)$ {{ nchan_subscriber websocket; nchan_channel_id $1; }}
        location ~ ^/publish/(\\d+)$ {{ nchan_publisher websocket; nchan_channel_id $1; }}
    }}
}}
"""


@cache
def installed() -> tuple[Path, Path] | None:
    """The program and its module."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        return None
    told = subprocess.run(
        [program, "-V"], capture_output=True, text=True, timeout=ASK_SECONDS, check=False
    )
    folder = re.search(r"--modules-path=(\S+)", told.stderr)
    module = Path(folder[1]) / MODULE if folder else Path()
    return (Path(program), module) if module.is_file() else None


class Listener(Socket):
    """One browser."""

    def __init__(self, url: str, tally: Tally, path: str) -> None:
        super().__init__(url, tally)
        self.path = path


@asynccontextmanager
async def nchan(*, groups: int, sockets: int, size_bytes: int) -> AsyncIterator[Broadcast]:
    """A server with so many groups of so many sockets; events of this size."""
    found = installed()
    if found is None:
        raise FileNotFoundError(MISSING)
    program, module = found
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    tally = Tally()
    with TemporaryDirectory(prefix="inbox-nchan-") as name:
        file = _configured(Path(name), module, f"{LOOPBACK}:{port}")
        command = [str(program), "-p", name, "-c", str(file)]
        async with running("nginx", command, Path(name), port) as pid:
            members = await connect_groups(
                lambda group: Listener(url, tally, f"/listen/{group}"), groups, sockets
            )
            publishers = await connect_groups(
                lambda group: Listener(url, Tally(), f"/publish/{group}"), groups, 1
            )

            def publish(group: int) -> None:
                publishers[group][0].send(stamped(size_bytes).encode())

            try:
                yield Broadcast(NAME, pid, publish, members, tally)
            finally:
                hang_up([*members, *publishers])


def _configured(folder: Path, module: Path, address: str) -> Path:
    folder.chmod(0o755)  # nginx's worker is another user
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(module=module, folder=folder, address=address))
    return file
