"""A workspace with one channel at the platform double, and every worker under the test's hand.

Time is the test's: workers run only when told to, and leases, pauses and deadlines follow a
FakeClock. The platform double and the webhooks it calls are real HTTP on loopback.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from chassis.auth import Caller, Role
from chassis.database import Database
from chassis.errors import Fault
from chassis.ids import WorkspaceId, new_id
from chassis.secrets import MasterKeys
from inbox.messaging import v1 as messaging_v1
from services.messaging.actions import channels as channel_actions
from services.messaging.actions import mode as mode_actions
from services.messaging.actions import retry as retry_actions
from services.messaging.actions import webhooks as webhook_actions
from services.messaging.actions.channels import ChannelDesk
from services.messaging.actions.inbound import accept_inbound
from services.messaging.actions.send import begin_send
from services.messaging.actions.vault import Vault
from services.messaging.actions.webhooks import IntakeDesk, accept_through
from services.messaging.actions.writers import Writers
from services.messaging.channels.adapters import Adapters
from services.messaging.channels.calls import PlatformCalls
from services.messaging.dispatch import Dispatcher, Hook
from services.messaging.model.attachment import Attachment
from services.messaging.model.channel import Channel, ChannelId, ChannelKind, SimulatorSettings
from services.messaging.model.connect import Credentials
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.draft import Opening
from services.messaging.model.message import Author, AuthorKind, Message, Receipt
from services.messaging.model.thread import ConversationId, ConversationMode, conversation_id_of
from services.messaging.store.delivery import read_deliveries, read_receipts
from services.messaging.webhooks import WebhookWorker
from suite.simulator.app import Simulator, running_simulator
from suite.simulator.platform import Account
from tests.fakes import FakeClock
from tests.service.messaging.files import KeptFiles

TOKEN = "token-of-the-business"
SECRET = "secret-of-the-webhook"
WITHIN = timedelta(seconds=10)
CUSTOMER = "ana"


def no_wake() -> None:
    """Nothing has to be woken: the test runs every worker itself."""


async def no_hook(_: str) -> None:
    """Nothing happens between the steps."""


@dataclass
class PlatformDesk:
    """What a test says and asks."""

    app: Database
    worker: Database
    workspace_id: WorkspaceId
    clock: FakeClock
    simulator: Simulator
    account: Account
    vault: Vault
    adapters: Adapters
    writers: Writers
    intake: IntakeDesk
    files: KeptFiles
    hook_url: str = ""
    channel: Channel = field(init=False)
    hook_answers: Counter[int] = field(default_factory=Counter)

    @property
    def owner(self) -> Caller:
        return Caller(new_id(), Role.OWNER, self.workspace_id, "Olga")

    @property
    def channels(self) -> ChannelDesk:
        return ChannelDesk(self.app, self.clock, self.vault, self.adapters, no_wake, no_wake)

    def dispatcher(self, *, hook: Hook = no_hook, call_seconds: float = 0.4) -> Dispatcher:
        return Dispatcher(
            self.worker,
            self.adapters,
            self.vault,
            self.clock,
            self.files,
            wake_relay=no_wake,
            lease_clock=self.clock,
            call_within=timedelta(seconds=call_seconds),
            hook=hook,
        )

    async def connect(self, *, is_idempotent: bool = False) -> Channel:
        self.account.is_idempotent = is_idempotent
        self.channel = await channel_actions.create_channel(
            self.channels,
            self.owner,
            request_id=new_id(),
            kind=ChannelKind.SIMULATOR,
            display_name="Simulator",
            settings=SimulatorSettings(self.simulator.url, self.account.id, is_idempotent),
            credentials=Credentials(access_token=TOKEN, webhook_secret=SECRET),
        )
        self.account.webhook_url = f"{self.hook_url}/{self.channel.id}"
        self.account.tell()
        return self.channel

    async def move_channel(self, url: str) -> None:
        """Let the channel look for its platform elsewhere."""
        await self._update(settings=SimulatorSettings(url, self.account.id))

    async def reconnect(self, token: str = TOKEN) -> None:
        """Give the channel fresh credentials."""
        await self._update(credentials=Credentials(token, SECRET))

    async def lose_master_key(self) -> None:
        """Start again with a master key that sealed nothing."""
        self.vault = new_vault()
        self.intake = replace(self.intake, vault=self.vault)

    async def _update(
        self,
        *,
        settings: SimulatorSettings | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        await channel_actions.update_channel(
            self.channels,
            self.owner,
            channel_id=self.channel.id,
            display_name="",
            settings=settings,
            credentials=credentials,
            expected_version=0,
        )

    async def customer_writes(self, text: str = "hola", customer: str = CUSTOMER) -> ConversationId:
        self.account.write(customer, text, customer.title())
        await self.reports_come()
        return self.conversation(customer)

    def conversation(self, customer: str = CUSTOMER) -> ConversationId:
        return conversation_id_of(ChannelId(self.channel.id), customer)

    async def open(self, customer: str = CUSTOMER) -> ConversationId:
        """A conversation, without going through the platform."""
        stored = await accept_inbound(
            self.writers,
            self.workspace_id,
            opening=Opening(ChannelId(self.channel.id), ChannelKind.SIMULATOR, customer, "Ana"),
            platform_message_id=new_id(),
            text="hola",
            platform_time=None,
            within=WITHIN,
        )
        return stored.message.conversation_id

    async def send(
        self,
        text: str = "Hello!",
        customer: str = CUSTOMER,
        *,
        mode_epoch: int = 0,
        attachments: tuple[Attachment, ...] = (),
    ) -> str:
        role = Role.BOT if mode_epoch else Role.AGENT
        stored = await begin_send(
            self.writers,
            Caller(new_id(), role, self.workspace_id, "Omar"),
            conversation_id=self.conversation(customer),
            client_message_id=new_id(),
            text=text,
            mode_epoch=mode_epoch,
            within=WITHIN,
            attachments=attachments,
        )
        return stored.message.id

    async def retry(self, message_id: str, request_id: str = "") -> Message:
        return await retry_actions.retry_message(
            self.app,
            self.clock,
            self.owner,
            message_id=message_id,
            request_id=request_id or new_id(),
            wake=no_wake,
        )

    async def switch_mode(self, mode: ConversationMode, customer: str = CUSTOMER) -> int:
        thread = await mode_actions.set_mode(
            self.app,
            self.clock,
            self.workspace_id,
            conversation_id=self.conversation(customer),
            mode=mode,
            request_id=new_id(),
            expected_mode_epoch=0,
            author=Author(AuthorKind.MEMBER),
            by=self.owner,
            on_commit=no_wake,
        )
        return thread.mode_epoch

    async def dispatch(self, dispatcher: Dispatcher | None = None) -> None:
        """Let a dispatcher work until nothing is due."""
        worker = dispatcher or self.dispatcher()
        for _ in range(200):
            await worker.wake_revivable()
            if not await worker.run_once():
                return
        raise AssertionError("the lanes never come to rest")

    async def pass_time(
        self,
        span: timedelta,
        *,
        step: timedelta = timedelta(seconds=15),
        dispatcher: Dispatcher | None = None,
    ) -> None:
        """Let time pass, with workers at work all the while."""
        worker = dispatcher or self.dispatcher()
        end = self.clock.now() + span
        while self.clock.now() < end:
            await self.dispatch(worker)
            await self.process()
            self.clock.advance(min(step, end - self.clock.now()))
        await self.dispatch(worker)
        await self.process()

    async def process(self) -> None:
        """Process the webhooks that are kept and due."""
        worker = WebhookWorker(self.intake, self.clock)
        for _ in range(500):
            if not await worker.run_once():
                return
        raise AssertionError("the webhooks never come to an end")

    async def reports_come(self, within: float = 8.0) -> None:
        """Wait until the platform has told everything it wants to tell, and take it in."""
        async with asyncio.timeout(within):
            while self.account.pending_count or self.account.on_the_way:
                await asyncio.sleep(0.01)
        await self.process()

    async def message(self, message_id: str) -> Message:
        async with self.app.begin(self.workspace_id) as transaction:
            deliveries = await read_deliveries(transaction, [message_id])
        (delivery,) = deliveries.values()
        return delivery.message

    async def status(self, message_id: str) -> DeliveryStatus | None:
        return (await self.message(message_id)).delivery_status

    async def timeline(self, message_id: str) -> list[Receipt]:
        async with self.app.begin(self.workspace_id) as transaction:
            return await read_receipts(transaction, message_id, limit=100)

    async def read_channel(self) -> Channel:
        return await channel_actions.get_channel(self.channels, self.owner, self.channel.id)

    async def texts(self, customer: str = CUSTOMER) -> list[str]:
        """What the customer wrote, in order, as agents see it."""
        async with self.app.begin(self.workspace_id) as transaction:
            rows = await transaction.raw.fetch(
                "SELECT text FROM messages WHERE conversation_id = $1 AND direction = 'inbound' "
                "ORDER BY seq",
                self.conversation(customer),
            )
        return [row[0] for row in rows]

    def arrivals(self, message_id: str) -> int:
        """How many times the message is on the customer's phone."""
        return sum(
            message.callback_data.partition(".")[0] == message_id
            for message in self.account.messages.values()
        )

    def calls(self, message_id: str) -> list[str]:
        """What became of each request to send it."""
        return [
            call.outcome
            for call in self.account.calls
            if call.callback_data.partition(".")[0] == message_id
        ]

    async def status_events(self, message_id: str) -> list[DeliveryStatus]:
        """The statuses that were published, in order."""
        async with self.worker.begin() as transaction:
            rows = await transaction.raw.fetch(
                "SELECT payload FROM outbox WHERE workspace_id = $1 "
                "AND subject LIKE 'inbox.messaging.v1.delivery_status_changed.%' ORDER BY id",
                self.workspace_id,
            )
        messages = [messaging_v1.DeliveryStatusChanged.FromString(row[0]).message for row in rows]
        return [DeliveryStatus(m.delivery_status) for m in messages if m.id == message_id]

    async def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """Look into the tables, as the worker of the workspace."""
        async with self.worker.begin(self.workspace_id) as transaction:
            return list(await transaction.raw.fetch(statement, *arguments))


def new_vault() -> Vault:
    """A vault with a fresh master key."""
    return Vault(MasterKeys(base64.b64encode(secrets.token_bytes(32)).decode()))


@asynccontextmanager
async def running_platform_desk(
    app: Database, worker: Database, workspace_id: WorkspaceId, *, seed: int = 1
) -> AsyncIterator[PlatformDesk]:
    """A desk for the length of a block; `connect` it to a channel first."""
    clock = FakeClock()
    vault = new_vault()
    calls = PlatformCalls()
    adapters = Adapters(calls)
    writers = Writers(worker, clock, on_commit=no_wake)

    intake = IntakeDesk(worker, clock, vault, adapters, accept_through(writers), no_wake)
    async with running_simulator(seed=seed) as simulator:
        account = simulator.platform.open(
            f"shop-{workspace_id}", token=TOKEN, webhook_secret=SECRET
        )
        account.switches.deliver_after_seconds = 0.02
        desk = PlatformDesk(
            app,
            worker,
            workspace_id,
            clock,
            simulator,
            account,
            vault,
            adapters,
            writers,
            intake,
            KeptFiles(),
        )
        application = web.Application(client_max_size=2 * 1024 * 1024)
        application.router.add_post("/{channel}", _hook(desk))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        desk.hook_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(writers.run())
            try:
                yield desk
            finally:
                writing.cancel()
                await _leave_nothing_to_do(worker)
                await runner.cleanup()
                await calls.close()


async def _leave_nothing_to_do(worker: Database) -> None:
    """The next test of the module has workers of its own, with other keys."""
    async with worker.begin() as transaction:
        await transaction.raw.execute(
            "UPDATE dispatch_lanes SET next_attempt_time = NULL, decision_time = NULL, "
            "revivable_until = NULL"
        )
        await transaction.raw.execute("UPDATE webhook_items SET state = 'done'")


def _hook(desk: PlatformDesk) -> Any:
    async def take(request: web.Request) -> web.Response:
        try:
            await webhook_actions.ingest_webhook(
                desk.intake,
                kind=ChannelKind.SIMULATOR,
                channel_id=request.match_info["channel"],
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                method="POST",
            )
            status = 200
        except Fault:
            status = 403
        desk.hook_answers[status] += 1
        return web.Response(status=status)

    return take
