"""Sockets cut at random 200 times, gateways killed, messages flowing: nothing is missed.

Two gateways behind Envoy. Agents and customers send all the while and repeat what was not
acknowledged, as their clients do.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from typing import TYPE_CHECKING

import aiohttp
import pytest

from chassis.ids import new_id
from tests.running_inbox import PEOPLE, RunningInbox, running_inbox
from tests.system.sockets.people import Agent, Closed, Customer, Edge, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENTS = 4
CUTS = 200
KILLS = 4
PAUSE_BETWEEN_KILLS = 2.0
SETTLES_WITHIN_SECONDS = 30.0


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInbox]:
    """One of its own: gateways are killed in it."""
    data = tmp_path_factory.mktemp("resume") / "data"
    with running_inbox(data, "--workers", "gateway=2") as suite:
        suite.is_answered_by(PEOPLE)
        yield suite


class Work:
    """What goes on until it is told to end, and what was acknowledged of it."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.is_over = False
        self.acknowledged: set[str] = set()

    async def write(self, customer: Customer) -> None:
        """A customer writes; a post that failed may have been stored, and counts as unknown."""
        number = 0
        while not self.is_over:
            number += 1
            try:
                message = await customer.write(f"from the customer {number}")
                self.acknowledged.add(message.id)
            except (Refused, aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(self.dice.random() * 0.2)

    async def answer(self, agent: Agent, conversation_id: str) -> None:
        """An agent answers on a socket of its own, again and again until acknowledged."""
        number = 0
        while not self.is_over:
            number += 1
            client_message_id = new_id()
            while not await agent.say(conversation_id, f"answer {number}", client_message_id):
                await agent.come_back()
            await asyncio.sleep(self.dice.random() * 0.1)

    async def live_and_be_cut(self, agent: Agent, times: int) -> None:
        """Read, lose the network, come back."""
        for _ in range(times):
            try:
                async with asyncio.timeout(self.dice.random() * 0.3):
                    while True:
                        await agent.frame()
            except (TimeoutError, Closed):
                pass
            if agent.socket is not None:
                agent.cut()
            await agent.come_back()


async def kill_gateways(suite: RunningInbox) -> None:
    for number in range(KILLS):
        await asyncio.sleep(PAUSE_BETWEEN_KILLS)
        name = ("gateway", "gateway-2")[number % 2]
        os.kill(suite.pid_of(name), signal.SIGKILL)


async def settled(agent: Agent) -> bool:
    """Whether the agent comes to hold what a fresh page would load."""
    async with asyncio.timeout(SETTLES_WITHIN_SECONDS):
        while True:
            try:
                await agent.take_in(0.5)
                if agent.known == await agent.state():
                    return True
            except (Closed, Refused):
                await agent.come_back()


async def test_cut_and_killed_200_times_the_state_is_that_of_a_fresh_snapshot(
    suite: RunningInbox, edge: Edge, key: str, customer: Customer
) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    work = Work(random.Random(seed))
    await customer.write("hola")
    watchers = [Agent(edge, key) for _ in range(AGENTS)]
    writer = Agent(edge, key)
    for agent in (*watchers, writer):
        await agent.come_back()

    async with asyncio.TaskGroup() as working:
        working.create_task(work.write(customer))
        working.create_task(work.answer(writer, customer.conversation_id))
        async with asyncio.TaskGroup() as suffering:
            suffering.create_task(kill_gateways(suite))
            for agent in watchers:
                suffering.create_task(work.live_and_be_cut(agent, CUTS // AGENTS))
        work.is_over = True

    for agent in watchers:
        assert await settled(agent)
        # Never a reload, never a repeat, never a gap: `frame` checked the chain all the way.
        assert agent.snapshots == 1
        assert set(agent.told.values()) == {1}
        assert work.acknowledged <= set(agent.messages)
    texts = [message.text for message in watchers[0].messages.values()]
    answers = [text for text in texts if text.startswith("answer ")]
    assert len(answers) == len(set(answers)), "an answer was stored twice"
