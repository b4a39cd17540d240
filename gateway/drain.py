"""The end of a process: its sockets leave one after the other, and come back elsewhere.

Clients are told at once when to leave, spread over a span that grows with their number, so the
remaining gateways are not met by everybody in the same instant. Who has not left by then is
closed.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from gateway.close_codes import CloseCode

if TYPE_CHECKING:
    from gateway.sends import Sends
    from gateway.sweeper import Sweeper

LEAVE_PER_SECOND = 1000.0
LONGEST_SPREAD_SECONDS = 4.0
MARGIN_SECONDS = 0.25
"""For the client's own close to arrive before ours."""
LAST_ANSWERS_SECONDS = 1.0
POLL_SECONDS = 0.02


async def drain(sweeper: Sweeper, sends: Sends) -> None:
    """Send every socket away; what was sent through them is answered first."""
    connections = [connection for connection in sweeper.all() if connection.is_open]
    random.shuffle(connections)
    spread = min(len(connections) / LEAVE_PER_SECOND, LONGEST_SPREAD_SECONDS)
    step = spread / max(len(connections), 1)
    for number, connection in enumerate(connections):
        connection.perform(connection.session.leave(int(number * step * 1000)))
    await _wait_for_answers(sends)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, connection in enumerate(connections):
        wait = began + number * step + MARGIN_SECONDS - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        connection.close(CloseCode.RESTART, "the server restarts; come back")
    await asyncio.sleep(MARGIN_SECONDS if connections else 0)


async def _wait_for_answers(sends: Sends) -> None:
    for _ in range(int(LAST_ANSWERS_SECONDS / POLL_SECONDS)):
        if not sends.under_way:
            return
        await asyncio.sleep(POLL_SECONDS)
