"""`python -m services.messaging`: messages, their order, and how far each one got."""

from __future__ import annotations

from chassis.audit_chain import AuditChain
from chassis.auth import Caller
from chassis.database import Database
from chassis.erasing import StreamEraser
from chassis.event_log import EventLog
from chassis.migrations import wait_for_schema
from chassis.relay import Relay
from chassis.rpc.authentication import AUTHORIZATION
from chassis.secrets import MasterKeys
from chassis.server import Process, main
from inbox.event import v1 as event_v1
from inbox.messaging import v1
from services.messaging.actions.channels import ChannelDesk
from services.messaging.actions.vault import Vault
from services.messaging.actions.webhooks import IntakeDesk, accept_through
from services.messaging.actions.writers import Writers
from services.messaging.channels.adapters import Adapters
from services.messaging.channels.calls import PlatformCalls
from services.messaging.dispatch import Dispatcher
from services.messaging.events import STREAM
from services.messaging.media_files import MediaFiles
from services.messaging.resumer import Resumer
from services.messaging.service.audit import MessagingAuditService
from services.messaging.service.channels import ChannelMeans, ChannelService
from services.messaging.service.erasure import ErasureService
from services.messaging.service.means import Means
from services.messaging.service.messaging import MessagingService
from services.messaging.service.snapshot import Snapshot
from services.messaging.service.web_chat import WebChatService
from services.messaging.settings import MessagingSettings
from services.messaging.text_indexer import TextIndexer
from services.messaging.visitor_tokens import IdentityVisitorTokens
from services.messaging.webhooks import WebhookWorker


async def wire(process: Process, settings: MessagingSettings) -> None:
    """Put the parts together."""
    app = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        application_name="messaging",
    )
    worker = Database(
        settings.worker_database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        application_name="messaging-worker",
    )
    process.on_close(app.close)
    process.on_close(worker.close)
    await wait_for_schema(app, "messaging")
    relay = Relay(worker, process.bus, STREAM, clock=process.clock)
    process.supervise("relay", relay.run)
    process.supervise("live hints", relay.tell_taken)
    process.ready_when("relay", relay.missing)
    calls = PlatformCalls()
    process.on_close(calls.close)
    adapters = Adapters(calls)
    vault = Vault(MasterKeys(settings.master_key.get_secret_value()))
    files = MediaFiles(process.channel(settings.media_address))
    dispatcher = Dispatcher(worker, adapters, vault, process.clock, files, wake_relay=relay.wake)
    resumer = Resumer(worker, process.clock, wake_relay=relay.wake)

    def wake() -> None:
        relay.wake()
        dispatcher.wake()

    def wake_after_switch() -> None:
        relay.wake()
        resumer.wake()

    writers = Writers(
        worker,
        process.clock,
        on_commit=relay.wake,
        on_numbered=relay.take,
        on_queued=dispatcher.wake,
        count=settings.message_writers,
    )
    intake = IntakeDesk(worker, process.clock, vault, adapters, accept_through(writers), relay.wake)
    webhooks = WebhookWorker(intake, process.clock)
    process.supervise("writers", writers.run)
    process.supervise("dispatcher", dispatcher.run)
    process.supervise("webhooks", webhooks.run)
    process.supervise("resumer", resumer.run)
    process.supervise("text_indexer", TextIndexer(worker, process.clock).run)
    process.supervise("audit chain", AuditChain(worker, process.clock).run)
    eraser = StreamEraser(worker, process.bus, STREAM, clock=process.clock)
    process.supervise("stream eraser", eraser.run)

    async def verify(token: str) -> Caller:
        # The guard is there once the first servicer is served, before any call.
        assert process.guard is not None  # noqa: S101
        return await process.guard.authenticator.caller_of({AUTHORIZATION: f"Bearer {token}"})

    means = Means(
        app=app,
        worker=worker,
        clock=process.clock,
        writers=writers,
        verify=verify,
        visitor_tokens=IdentityVisitorTokens(process.channel(settings.identity_address)),
        files=files,
        own_origins=(settings.public_url,),
        on_commit=wake,
        on_switch=wake_after_switch,
    )
    channels = ChannelMeans(
        desk=ChannelDesk(app, process.clock, vault, adapters, relay.wake, dispatcher.wake),
        intake=intake,
        wake_webhooks=webhooks.wake,
    )
    process.serve(v1.add_MessagingServiceServicer_to_server, MessagingService(means))
    process.serve(v1.add_ChannelServiceServicer_to_server, ChannelService(channels))
    process.serve(v1.add_WebChatServiceServicer_to_server, WebChatService(means))
    process.serve(v1.add_ErasureServiceServicer_to_server, ErasureService(means))
    audit_service = MessagingAuditService(app, worker)
    process.serve(v1.add_MessagingAuditServiceServicer_to_server, audit_service)
    event_log = EventLog(worker, Snapshot())
    process.serve(event_v1.add_EventLogServiceServicer_to_server, event_log)


if __name__ == "__main__":
    main("messaging", MessagingSettings, wire)
