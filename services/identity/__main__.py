"""`python -m services.identity`: settings, wiring, serving."""

from __future__ import annotations

from chassis.audit_chain import AuditChain
from chassis.database import Database
from chassis.event_log import EventLog
from chassis.migrations import wait_for_schema
from chassis.relay import Relay
from chassis.rpc.authentication import ServiceKeys
from chassis.secrets import MasterKeys
from chassis.server import Process, main
from inbox.event import v1 as event_v1
from inbox.identity import v1
from services.identity.actions.housekeeping import keep_swept
from services.identity.actions.ports import Ports
from services.identity.actions.sign_in import SignInLimits
from services.identity.actions.signing_keys import SigningKeys
from services.identity.actions.snapshot import Snapshot
from services.identity.actions.tickets import Tickets
from services.identity.actions.tokens import exchange_api_key
from services.identity.events import STREAM
from services.identity.passwords import Passwords
from services.identity.service import IdentityAuditService, IdentityService
from services.identity.settings import Settings


async def wire(process: Process, settings: Settings) -> None:
    """Put identity together."""
    size = settings.database_pool_size
    app = Database(settings.database_url.get_secret_value(), pool_size=size)
    worker = Database(settings.worker_database_url.get_secret_value(), pool_size=size)
    passwords = Passwords()
    for part in (app, worker, passwords):
        process.on_close(part.close)
    await wait_for_schema(worker, "identity")
    master_keys = MasterKeys(settings.master_key.get_secret_value())
    signing_keys = SigningKeys(worker, master_keys, process.clock)
    await signing_keys.load()
    relay = Relay(worker, process.bus, STREAM, clock=process.clock)
    ports = Ports(
        app=app,
        worker=worker,
        clock=process.clock,
        passwords=passwords,
        signing_keys=signing_keys,
        master_keys=master_keys,
        is_service_key=ServiceKeys(settings.service_key.get_secret_value()).accepts,
        wake_relay=relay.wake,
        public_url=str(settings.public_url).rstrip("/"),
    )

    async def exchange(api_key: str) -> str:
        return (await exchange_api_key(ports, api_key)).signed.token

    event_log = EventLog(worker, Snapshot())

    async def read_log(request: event_v1.ReadEventsRequest) -> event_v1.ReadEventsResponse:
        return await event_log.ReadEvents(request, None)

    process.authenticate(signing_keys, exchange, read_log)
    process.serve(event_v1.add_EventLogServiceServicer_to_server, event_log)
    tickets = Tickets(ports)
    process.supervise("tickets", tickets.run)
    service = IdentityService(ports, SignInLimits(process.clock), tickets)
    process.serve(v1.add_IdentityServiceServicer_to_server, service)
    audit_service = IdentityAuditService(app, worker)
    process.serve(v1.add_IdentityAuditServiceServicer_to_server, audit_service)
    process.supervise("relay", relay.run)
    process.ready_when("relay", relay.missing)
    process.supervise("audit chain", AuditChain(worker, process.clock).run)
    process.supervise("signing keys", signing_keys.run)
    process.supervise("sweep", lambda: keep_swept(ports))


if __name__ == "__main__":
    main("identity", Settings, wire)
