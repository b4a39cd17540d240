"""`python -m gateway`: settings, logs, signals, and one process of the gateway."""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop

from chassis import logs, settings
from chassis.server import SWITCH_INTERVAL_SECONDS
from chassis.settings import EXIT_BAD_SETTINGS
from chassis.tls import NotPrivate
from gateway.process import run
from gateway.settings import GatewaySettings


async def main(chosen: GatewaySettings) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(chosen, stop)


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    CHOSEN = settings.load(GatewaySettings, sys.argv[1:])
    logs.configure("gateway", CHOSEN.log_level)
    try:
        uvloop.run(main(CHOSEN))
    except NotPrivate as error:
        sys.stderr.write(f"cannot start: {error}\n")
        sys.exit(EXIT_BAD_SETTINGS)
