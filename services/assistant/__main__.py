"""`python -m services.assistant`: the AI of every workspace."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from chassis import cursor
from chassis.audit_chain import AuditChain
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.dead_letters import DeadLetters
from chassis.event_log import EventLog
from chassis.migrations import wait_for_schema
from chassis.owners_log import RemoteLog
from chassis.relay import Relay
from chassis.secrets import MasterKeys
from chassis.server import Process, main
from inbox.assistant import v1
from inbox.event import v1 as event_v1
from services.assistant import consumers, events
from services.assistant.actions.means import Means
from services.assistant.actions.snapshot import Snapshot
from services.assistant.actions.vault import Vault
from services.assistant.announcing import Announcing
from services.assistant.answering import Answering, Neighbours
from services.assistant.model.settings import ProviderHosts
from services.assistant.neighbours import BotTokens, GrpcAudience, GrpcContacts, GrpcMessaging
from services.assistant.providers.providers import Providers
from services.assistant.service.assistant import AssistantService
from services.assistant.service.audit import AssistantAuditService
from services.assistant.service.knowledge import KnowledgeService
from services.assistant.settings import AssistantServiceSettings

TAKE_IN_WITHIN = timedelta(seconds=5)
"""How long forgetting waits for what its reader has not read yet."""


async def wire(process: Process, settings: AssistantServiceSettings) -> None:
    """Put the parts together."""
    app, worker = (
        Database(
            url.get_secret_value(),
            pool_size=settings.database_pool_size,
            application_name="assistant",
        )
        for url in (settings.database_url, settings.worker_database_url)
    )
    process.on_close(app.close)
    process.on_close(worker.close)
    await wait_for_schema(app, "assistant")
    relay = Relay(worker, process.bus, events.STREAM, clock=process.clock)
    conversation = process.channel(settings.conversation_address)
    tokens = BotTokens(process.channel(settings.identity_address), process.clock)
    hosts = ProviderHosts.of(settings.provider_hosts)
    means_of = partial(
        Means,
        clock=process.clock,
        vault=Vault(MasterKeys(settings.master_key.get_secret_value())),
        hosts=hosts,
        contacts=GrpcContacts(conversation, tokens),
        wake_relay=relay.wake,
    )
    messaging = process.channel(settings.messaging_address)
    duties = Consumer(
        name=consumers.DUTIES,
        stream=consumers.STREAM,
        database=worker,
        bus=process.bus,
        owner=RemoteLog(messaging),
        apply=consumers.take_in,
        clock=process.clock,
    )
    folders = Consumer(
        name=consumers.FOLDERS,
        stream=consumers.FOLDERS_STREAM,
        database=worker,
        bus=process.bus,
        owner=RemoteLog(conversation),
        apply=consumers.take_in,
        clock=process.clock,
    )
    providers = Providers(hosts)
    process.on_close(providers.close)
    audience = GrpcAudience(process.channel(settings.realtime_address))
    answering = Answering(
        means_of(worker),
        Neighbours(
            messaging=GrpcMessaging(messaging, tokens), audience=audience, providers=providers
        ),
        process.clock,
        slots=settings.turn_slots,
    )
    process.serve(v1.add_KnowledgeServiceServicer_to_server, KnowledgeService(means_of(app)))
    process.serve(
        v1.add_AssistantServiceServicer_to_server,
        AssistantService(
            means_of(app),
            worker,
            partial(cursor.reach, worker, consumers.DUTIES, within=TAKE_IN_WITHIN),
        ),
    )
    audit_service = AssistantAuditService(app, worker)
    process.serve(v1.add_AssistantAuditServiceServicer_to_server, audit_service)
    process.serve(event_v1.add_EventLogServiceServicer_to_server, EventLog(worker, Snapshot()))
    process.serve(event_v1.add_DeadLetterServiceServicer_to_server, DeadLetters(worker))
    process.ready_when("relay", relay.missing)
    process.supervise("relay", relay.run)
    process.supervise("audit chain", AuditChain(worker, process.clock).run)
    process.supervise(consumers.DUTIES, duties.run)
    process.supervise(consumers.FOLDERS, folders.run)
    process.supervise("announcing", Announcing(worker, audience, process.clock).run)
    process.supervise("answering", answering.run)


if __name__ == "__main__":
    main("assistant", AssistantServiceSettings, wire)
