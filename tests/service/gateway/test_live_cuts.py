"""Sockets that are cut again and again end with the state of those that were not."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

from tests.service.gateway.live_client import JSON, PROTO, LiveClient, snapshot
from tests.service.gateway.log_double import CONVERSATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.service.gateway.suite_double import Services


class Happenings:
    """Things happen until told to stop."""

    def __init__(self, services: Services, dice: random.Random) -> None:
        self.services = services
        self.dice = dice
        self.is_over = False

    async def run(self) -> None:
        number = 0
        while not self.is_over:
            number += 1
            self.services.log.message(str(number))
            if self.dice.random() < 0.3:
                self.services.log.conversation_read(number)
            await asyncio.sleep(self.dice.random() * 0.01)

    async def settle(self, clients: list[LiveClient]) -> None:
        """One last thing of each stream, seen by everybody."""
        last = self.services.log.message("the last")
        self.services.log.conversation_read(1_000_000)
        for client in clients:
            await client.until_seen(last.id)
            while client.versions.get(CONVERSATION_ID) != 1_000_000:
                await client.frame()


async def live_and_be_cut(client: LiveClient, dice: random.Random, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(dice.random() * 0.1):
                while True:
                    await client.frame()
        client.cut()
        await client.connect()


async def test_sockets_cut_at_random_200_times_end_with_the_state_of_a_fresh_snapshot(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    happenings = Happenings(services, dice)
    clients = [
        new_client(member_id=f"m{number}", subprotocol=PROTO if number % 2 else JSON)
        for number in range(5)
    ]
    for client in clients:
        await client.connect()

    async with asyncio.TaskGroup() as group:
        group.create_task(happenings.run())
        async with asyncio.TaskGroup() as living:
            for client in clients:
                living.create_task(live_and_be_cut(client, dice, times=40))
        happenings.is_over = True
    await happenings.settle(clients)

    fresh = snapshot(services)
    for client in clients:
        assert client.versions == fresh
        assert set(client.seen.values()) == {1}
        assert client.snapshots == 1
