"""The examples and the README's lines, run as their readers run them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from inbox_client import AsyncInbox, Inbox, InboxError, Resync
from suite.settings import ROOT, python_environment
from tests.service.chassis.eventing import until
from tests.system.sockets.people import Customer

EXAMPLES = ROOT / "client" / "examples"
README = re.compile(r"```python\n(.*?)```", re.DOTALL)
WITHIN_SECONDS = 60


def run(program: Path, *arguments: str) -> str:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        env=python_environment(),
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(program: Path, *arguments: str) -> Iterator[None]:
    """A program that never ends by itself; it gets no chance to say goodbye."""
    process = subprocess.Popen([sys.executable, str(program), *arguments], env=python_environment())
    try:
        yield
        assert process.poll() is None, "it ended by itself"
    finally:
        process.kill()
        process.wait()


async def is_listed(inbox: AsyncInbox, customer: Customer, text: str) -> None:
    """Until the customer's words are on top of the list."""

    async def is_on_top() -> bool:
        async for conversation in inbox.iterate_conversations():
            return (conversation.id, conversation.preview.text) == (customer.conversation_id, text)
        return False

    await until(is_on_top, within=20)


async def words(inbox: AsyncInbox, customer: Customer) -> list[str]:
    """The conversation, oldest first."""
    history = inbox.iterate_messages(customer.conversation_id, after_seq=0)
    return [message.text async for message in history]


async def test_send_message_sends_to_the_newest_conversation(
    address: str, key: str, inbox: AsyncInbox, customer: Customer
) -> None:
    await customer.write("anybody there?")
    await is_listed(inbox, customer, "anybody there?")

    said = await asyncio.to_thread(run, EXAMPLES / "send_message.py", address, key, "yes")

    assert 'text: "yes"' in said
    assert await words(inbox, customer) == ["anybody there?", "yes"]


async def test_the_readmes_lines_send_a_message(
    address: str, key: str, inbox: AsyncInbox, customer: Customer, tmp_path: Path
) -> None:
    (lines,) = README.findall((ROOT / "README.md").read_text())
    assert len(lines.splitlines()) <= 10
    program = tmp_path / "hello.py"
    program.write_text(lines.replace("localhost:8080", address))
    await customer.write("hello?")
    await is_listed(inbox, customer, "hello?")

    await asyncio.to_thread(run, program, key)

    assert await words(inbox, customer) == ["hello?", "Hello from Python"]


async def test_export_history_prints_every_message_of_every_conversation(
    address: str, key: str, inbox: AsyncInbox, customer: Customer
) -> None:
    for number in range(3):
        await customer.write(f"question {number}")
    await inbox.send(customer.conversation_id, "answer")
    await is_listed(inbox, customer, "answer")

    printed = await asyncio.to_thread(run, EXAMPLES / "export_history.py", address, key)

    exported = [json.loads(line) for line in printed.splitlines()]
    ours = [one["text"] for one in exported if one["conversationId"] == customer.conversation_id]
    assert ours == ["question 0", "question 1", "question 2", "answer"]


async def test_answer_bot_answers_everybody_once_also_when_it_is_killed(
    address: str, key: str, inbox: AsyncInbox, customer: Customer
) -> None:
    await customer.write("before it runs")
    await is_listed(inbox, customer, "before it runs")
    expected = ["before it runs", "noted"]

    async def is_answered() -> bool:
        return await words(inbox, customer) == expected

    bot = (EXAMPLES / "answer_bot.py", address, key, "noted")
    with running(*bot):
        await until(is_answered, within=30)
        await customer.write("while it runs")
        expected += ["while it runs", "noted"]
        await until(is_answered, within=30)
    await customer.write("while it is dead")
    await is_listed(inbox, customer, "while it is dead")
    expected += ["while it is dead", "noted"]
    with running(*bot), running(*bot):
        await until(is_answered, within=30)
        await customer.write("to both of them")
        expected += ["to both of them", "noted"]
        await until(is_answered, within=30)

    assert await is_answered()


async def test_lists_come_page_by_page(inbox: AsyncInbox, address: str, key: str) -> None:
    by_ones = messaging_v1.ListChannelsRequest(page_size=1)

    pages = [page async for page in inbox.pages(inbox.channels.ListChannels, by_ones)]
    with Inbox(address, key) as blocking:
        whole = await asyncio.to_thread(
            blocking.channels.ListChannels, messaging_v1.ListChannelsRequest()
        )

    assert [page.channels[0] for page in pages] == list(whole.channels)
    assert len(pages) > 1


async def test_conversations_come_over_page_after_page(
    inbox: AsyncInbox, customer: Customer
) -> None:
    await customer.write("one of many")
    await is_listed(inbox, customer, "one of many")
    by_ones = conversation_v1.ListConversationsRequest(page_size=1)

    one_by_one = [one.id async for one in inbox.iterate_conversations(by_ones)]

    assert one_by_one == [one.id async for one in inbox.iterate_conversations()]
    assert customer.conversation_id in one_by_one


async def test_a_refusal_passes_through_the_front_door_with_its_reason(
    address: str, customer: Customer
) -> None:
    with Inbox(address, "ik_nobody.x") as stranger, pytest.raises(InboxError) as refused:
        await asyncio.to_thread(stranger.send, customer.conversation_id, "hello")

    assert refused.value.reason == "CREDENTIAL_INVALID"


async def test_a_watch_comes_through_the_front_door(inbox: AsyncInbox, customer: Customer) -> None:
    async with asyncio.timeout(30), inbox.watch() as watch:
        async for event in watch:
            if isinstance(event, Resync):
                event.done()
                await customer.write("live")
            elif isinstance(event.body, messaging_v1.MessageCreated):
                assert event.body.message.text == "live"
                break
