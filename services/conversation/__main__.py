"""`python -m services.conversation`: the shared inbox."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from chassis import cursor
from chassis.audit_chain import AuditChain
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.dead_letters import DeadLetters
from chassis.erasing import StreamEraser
from chassis.event_log import EventLog
from chassis.migrations import wait_for_schema
from chassis.owners_log import RemoteLog
from chassis.relay import Relay
from chassis.server import Process, main
from inbox.conversation import v1 as conversation_v1
from inbox.event import v1 as event_v1
from services.conversation import consumers, events
from services.conversation.actions.erasing import ErasingMeans
from services.conversation.actions.lost import solve_lost
from services.conversation.actions.means import Means
from services.conversation.actions.snapshot import Snapshot
from services.conversation.eraser import Eraser
from services.conversation.neighbours import GrpcNeighbours, IdentityMembers
from services.conversation.service.audit import ConversationAuditService
from services.conversation.service.contacts import ContactService
from services.conversation.service.inbox import ConversationService
from services.conversation.service.privacy import PrivacyService
from services.conversation.service.tags import TagService
from services.conversation.settings import ConversationSettings
from services.conversation.sweeper import sweep_for_ever

CATCH_UP_WITHIN = timedelta(seconds=5)
"""How long a list waits for what its reader was told of already."""


async def wire(process: Process, settings: ConversationSettings) -> None:
    """Put the parts together."""
    app, worker = (
        Database(
            url.get_secret_value(),
            pool_size=settings.database_pool_size,
            application_name="conversation",
        )
        for url in (settings.database_url, settings.worker_database_url)
    )
    process.on_close(app.close)
    process.on_close(worker.close)
    await wait_for_schema(app, "conversation")
    relay = Relay(worker, process.bus, events.STREAM, clock=process.clock)
    means = Means(
        app,
        process.clock,
        relay.wake,
        IdentityMembers(process.channel(settings.identity_address)),
        partial(cursor.reach, worker, consumers.PROJECTION, within=CATCH_UP_WITHIN),
    )
    messaging = process.channel(settings.messaging_address)
    neighbours = GrpcNeighbours(messaging, process.channel(settings.assistant_address))
    projection = Consumer(
        name=consumers.PROJECTION,
        stream=consumers.STREAM,
        database=worker,
        bus=process.bus,
        owner=RemoteLog(messaging),
        apply=partial(consumers.project, means),
        clock=process.clock,
        on_rebuilt=partial(solve_lost, means, worker),
    )
    process.serve(
        conversation_v1.add_ConversationServiceServicer_to_server, ConversationService(means)
    )
    process.serve(conversation_v1.add_TagServiceServicer_to_server, TagService(means))
    process.serve(conversation_v1.add_ContactServiceServicer_to_server, ContactService(means))
    privacy = PrivacyService(means, neighbours)
    process.serve(conversation_v1.add_PrivacyServiceServicer_to_server, privacy)
    audit_service = ConversationAuditService(app, worker)
    process.serve(conversation_v1.add_ConversationAuditServiceServicer_to_server, audit_service)
    process.serve(event_v1.add_EventLogServiceServicer_to_server, EventLog(worker, Snapshot()))
    process.serve(event_v1.add_DeadLetterServiceServicer_to_server, DeadLetters(worker))
    process.ready_when("relay", relay.missing)
    process.supervise("relay", relay.run)
    process.supervise("audit chain", AuditChain(worker, process.clock).run)
    process.supervise(consumers.PROJECTION, projection.run)
    eraser = Eraser(ErasingMeans(means, worker, neighbours, consumers.PROJECTION))
    process.supervise("eraser", eraser.run)
    stream_eraser = StreamEraser(worker, process.bus, events.STREAM, clock=process.clock)
    process.supervise("stream eraser", stream_eraser.run)
    process.supervise("sweeper", partial(sweep_for_ever, means, worker))


if __name__ == "__main__":
    main("conversation", ConversationSettings, wire)
