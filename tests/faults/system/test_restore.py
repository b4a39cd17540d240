"""T19 of the design: one service's database is restored from an older copy while it is in use."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import asyncpg
import nats
import pytest

from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from suite.infra.postgres import SUPERUSER
from suite.infra.resolve import resolve_postgres
from tests.connect_client import CallRefused, ConnectClient
from tests.faults.system.load import Ledger, Sender, open_conversations
from tests.faults.system.storm import converge, front_door, seed, web_chat_channel
from tests.live_client import CONVERSATIONS, MESSAGING, LiveClient

if TYPE_CHECKING:
    from tests.running_inbox import RunningInbox

pytestmark = pytest.mark.timeout(300)

DATABASE = "inbox_messaging"
STREAM = "INBOX_MESSAGING"
BEFORE, LOST, AFTER = 120, 60, 120
BACK_WITHIN_SECONDS = 60.0


class Restorer:
    """What an operator does, by the steps of the runbook."""

    def __init__(self, inbox: RunningInbox, folder: Path) -> None:
        self._inbox = inbox
        self._file = folder / "messaging.dump"
        self._secrets = json.loads((inbox.data / "secrets.json").read_text())
        ports = json.loads((inbox.data / "ports.json").read_text())
        self._port = ports["postgres"]
        self._nats = f"nats://suite:{self._secrets['nats.suite']}@127.0.0.1:{ports['nats']}"

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}:{self._secrets['postgres']}@127.0.0.1:{self._port}/{database}"

    def copy(self) -> None:
        self._tool("pg_dump", "--format=custom", f"--file={self._file}", self.url(DATABASE))

    async def restore(self) -> None:
        """Put the copy in the database's place: a new epoch, and the old life's stream deleted."""
        administrator = await asyncpg.connect(self.url("postgres"))
        try:
            await administrator.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
            await administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                DATABASE,
            )
            await administrator.execute(f"ALTER DATABASE {DATABASE} RENAME TO {DATABASE}_before")
            await administrator.execute(f"CREATE DATABASE {DATABASE}_fresh OWNER {DATABASE}_owner")
            await asyncio.to_thread(
                self._tool,
                "pg_restore",
                "--exit-on-error",
                f"--dbname={self.url(DATABASE + '_fresh')}",
                str(self._file),
            )
            restored = await asyncpg.connect(self.url(f"{DATABASE}_fresh"))
            await restored.execute("UPDATE log_state SET log_epoch = gen_random_uuid()::text")
            await restored.close()
            client = await nats.connect(self._nats)
            await client.jetstream().delete_stream(STREAM)
            await client.close()
            await administrator.execute(f"ALTER DATABASE {DATABASE}_fresh RENAME TO {DATABASE}")
        finally:
            await administrator.close()

    def _tool(self, name: str, *arguments: str) -> None:
        tool = resolve_postgres().path.with_name(name)
        subprocess.run([str(tool), *arguments], check=True, capture_output=True, timeout=120)


async def send_many(sender: Sender, name: str, count: int) -> None:
    for number in range(count):
        await sender.send(f"{name}-{number}")


async def threads_of(
    connect: ConnectClient, conversations: list[str]
) -> dict[str, tuple[int, int, str]]:
    """What messaging says: newest seq, inbound count, newest text."""
    threads = {}
    for conversation_id in conversations:
        page = await connect.call(
            f"{MESSAGING}/ListMessages",
            messaging_v1.ListMessagesRequest(conversation_id=conversation_id, page_size=1),
            messaging_v1.ListMessagesResponse,
        )
        thread = page.thread
        threads[conversation_id] = (thread.last_seq, thread.inbound_count, page.messages[0].text)
    return threads


async def entries_of(
    connect: ConnectClient, conversations: list[str]
) -> dict[str, tuple[int, int, str]]:
    """What conversation says of the same."""
    entries = {}
    for conversation_id in conversations:
        answer = await connect.call(
            f"{CONVERSATIONS}/GetConversation",
            conversation_v1.GetConversationRequest(conversation_id=conversation_id),
            conversation_v1.GetConversationResponse,
        )
        found = answer.conversation
        entries[conversation_id] = (found.preview.seq, found.inbound_count, found.preview.text)
    return entries


async def test_after_a_restore_of_one_database_nobody_shows_what_no_longer_is(
    replicated_inbox: RunningInbox, tmp_path: Path
) -> None:
    inbox = replicated_inbox
    restorer = Restorer(inbox, tmp_path)
    key = inbox.key("owner")
    async with aiohttp.ClientSession() as http, front_door(inbox) as channel:
        connect = ConnectClient(http, inbox.url, key)
        box = await web_chat_channel(connect)
        conversations = await open_conversations(http, inbox.url, box, 6)
        stub = messaging_v1.MessagingServiceStub(channel)
        sender = Sender(stub, key, conversations, Ledger(), random.Random(seed()), "restore")
        watchers = [LiveClient(connect) for _ in range(2)]
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(watcher.run()) for watcher in watchers]
            for watcher in watchers:
                await watcher.live.wait()
            await send_many(sender, "before", BEFORE)
            await asyncio.to_thread(restorer.copy)
            await send_many(sender, "lost", LOST)

            under_load = group.create_task(send_many(sender, "meanwhile", AFTER))
            await restorer.restore()
            await under_load
            await send_many(sender, "after", AFTER)

            deadline = time.monotonic() + BACK_WITHIN_SECONDS
            while True:
                try:
                    threads = await threads_of(connect, conversations)
                    entries = await entries_of(connect, conversations)
                except CallRefused:
                    threads, entries = {}, {"": (0, 0, "")}
                if threads == entries or time.monotonic() > deadline:
                    break
                await asyncio.sleep(0.25)
            disagreements = await converge(connect, watchers)
            for task in watching:
                task.cancel()

    assert entries == threads
    assert not disagreements
    assert all(watcher.resyncs >= 1 for watcher in watchers), "they were told to load afresh"
    texts = {message.text for message in watchers[0].desk.messages.values()}
    assert {f"before-{number}" for number in range(BEFORE)} <= texts
    assert {f"after-{number}" for number in range(AFTER)} <= texts
    assert not any(text.startswith("lost-") for text in texts), "the copy was older than these"
