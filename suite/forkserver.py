"""Starts services as forks of one process that has their libraries loaded already.

    python -m suite.forkserver SOCKET

Loading grpc, SQLAlchemy, aiohttp and the rest takes each service more than a second of processor
time: on two cores that is most of a start, and of every restart. A fork has them at once and
shares their memory. Libraries and chassis are loaded here and nothing is run: no thread, no
connection, no random number, so two services have no state in common. Each service is a process
and a process group of its own, and is run as `python -m <module>` would run it.

One JSON object per line. In: {"fork": number, "module", "arguments", "environment", "log",
"stop_signal"}. Out: {"fork": number, "pid"} and later {"pid", "code"}. The end of the socket is
the end of this process; its children are told so by the kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from suite.infra.launch import PR_SET_PDEATHSIG
from suite.settings import replace_environment

PRELOADED = (
    "aiohttp.web",
    "chassis.consumer",
    "chassis.database",
    "chassis.migrations",
    "chassis.relay",
    "chassis.server",
    "grpc.aio",
    "nats",
    "uvloop",
)
PR_SET_NAME = 15
RECEIVE_BYTES = 64 * 1024


def main() -> None:
    """Load, then fork as asked until the socket ends."""
    for name in PRELOADED:
        if importlib.util.find_spec(name):
            importlib.import_module(name)
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - counted, not walked
        sys.exit("a library started a thread while it was loaded; a fork would lose it")
    gc.collect()
    gc.freeze()  # what is shared is not written to by a collection
    control = socket.socket(fileno=int(sys.argv[1]))
    serve(control)


def serve(control: socket.socket) -> None:
    """Fork for every line that comes in, and tell of every child that ended."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting = b""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        _tell(control, {"ready": os.getpid()})
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, RECEIVE_BYTES)
                _tell_of_ended_children(control)
            if control in ready:
                received = control.recv(RECEIVE_BYTES)
                if not received:
                    return
                *lines, waiting = (waiting + received).split(b"\n")
                for line in lines:
                    request = json.loads(line)
                    _tell(control, {"fork": request["fork"], "pid": _fork(request, control)})


def _fork(request: dict[str, Any], control: socket.socket) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        control.close()
        code = _be(request, parent)
    except BaseException:  # noqa: BLE001 - a child must never run on as its parent
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        # Everything it owned has been closed by its own drain; taking the interpreter apart
        # piece by piece would only be waited for.
        os._exit(code)


def _be(request: dict[str, Any], parent: int) -> int:
    """The child's life; its exit code."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    library = ctypes.CDLL(None)
    library.prctl(PR_SET_PDEATHSIG, int(request["stop_signal"]))
    # Else `top` and `ps -o comm` would call every service "python".
    library.prctl(PR_SET_NAME, request["module"].rpartition(".")[2].encode())
    if os.getppid() != parent:
        return 1
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)
    replace_environment(request["environment"])
    sys.argv = [request["module"], *request["arguments"]]
    try:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    return 0


def _tell_of_ended_children(control: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _tell(control, {"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(control: socket.socket, news: dict[str, int]) -> None:
    control.sendall(json.dumps(news).encode() + b"\n")


def program_arguments(descriptor: int) -> tuple[str, ...]:
    """The command line of a fork server that is controlled through this descriptor."""
    return ("-P", "-m", f"suite.{Path(__file__).stem}", str(descriptor))


if __name__ == "__main__":
    main()
