"""`python -m suite.simulator`: the platform double as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from suite.settings import process_environment
from suite.simulator.app import running_simulator

CONTROL_KEY_VARIABLE = "INBOX_SIMULATOR_CONTROL_KEY"


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m suite.simulator", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:9000", help="host:port")
    parser.add_argument("--data", type=Path, help="folder that keeps the phones' history")
    arguments = parser.parse_args()
    host, _, port = arguments.listen.rpartition(":")
    # A key on the command line could be read by every user of the machine.
    key = process_environment().get(CONTROL_KEY_VARIABLE, "")
    asyncio.run(_run(host, int(port), arguments.data, key))


async def _run(host: str, port: int, folder: Path | None, control_key: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_simulator(
        host=host, port=port, folder=folder, control_key=control_key
    ) as simulator:
        print(f"simulator listens on {simulator.url}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    main()
