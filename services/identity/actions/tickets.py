"""Tickets for live sockets: made by signing, used up together.

After a restart of a gateway all its browsers come back at once. A ticket costs its maker a
signature and no query; those of one workspace that are shown while the ones before are being used
up become one transaction.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from chassis.auth import Caller, CredentialExpired, CredentialInvalid
from chassis.errors import Fault, TemporarilyUnavailable, Unauthenticated
from chassis.ids import WorkspaceId, new_id
from services.identity.actions.ports import Ports
from services.identity.actions.sign_in import OneTime
from services.identity.actions.tokens import Issued, issue_to_key, issue_to_session, touch
from services.identity.model.tickets import TICKET_LASTS, Ticket, parse_ticket
from services.identity.store import tickets as store

PURPOSE = "ticket"
MAX_WAITING = 10_000
MAX_TOGETHER = 256


def create_ticket(ports: Ports, caller: Caller) -> OneTime:
    """A ticket that opens a WebSocket in the caller's name, once and soon.

    Raises: CredentialInvalid, for a token that no session or key stands behind.
    """
    if not caller.credential_id:
        raise CredentialInvalid
    now = ports.clock.now()
    ticket = Ticket(
        id=new_id(),
        workspace_id=caller.workspace,
        credential_id=caller.credential_id,
        is_of_key=caller.is_key,
        expire_time=now.replace(microsecond=0) + TICKET_LASTS,
    )
    mac = next(iter(ports.master_keys.macs(PURPOSE, ticket.body)))
    return OneTime(ticket.text(mac), ticket.expire_time)


def genuine(ports: Ports, text: str) -> Ticket:
    """What a ticket of ours says. Raises: CredentialInvalid, CredentialExpired."""
    shown = parse_ticket(text)
    if shown is None:
        raise CredentialInvalid
    macs = ports.master_keys.macs(PURPOSE, shown.ticket.body)
    if not any([compare_digest(mac, shown.mac) for mac in macs]):  # noqa: C419 - in even time
        raise CredentialInvalid
    if ports.clock.now() >= shown.ticket.expire_time:
        raise CredentialExpired
    return shown.ticket


@dataclass(frozen=True, slots=True)
class _Exchange:
    ticket: Ticket
    answer: asyncio.Future[Issued]

    def settle(self, result: Issued | Fault) -> None:
        if self.answer.done():
            return  # its call ended meanwhile
        if isinstance(result, Issued):
            self.answer.set_result(result)
        else:
            self.answer.set_exception(result)


class Tickets:
    """Exchanges tickets for access tokens; `run` does the work."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._waiting: asyncio.Queue[_Exchange] = asyncio.Queue(MAX_WAITING)

    async def exchange(self, text: str) -> Issued:
        """A token for a ticket, which is used up by it.

        Raises: CredentialInvalid, CredentialExpired, TemporarilyUnavailable.
        """
        ticket = genuine(self._ports, text)
        exchange = _Exchange(ticket, asyncio.get_running_loop().create_future())
        try:
            self._waiting.put_nowait(exchange)
        except asyncio.QueueFull:
            raise TemporarilyUnavailable(part="identity, which has too much to do,") from None
        return await exchange.answer

    async def run(self) -> None:
        """Use up for ever what waits: all of it at once, a transaction for each workspace."""
        while True:
            together: dict[WorkspaceId, list[_Exchange]] = defaultdict(list)
            exchange = await self._waiting.get()
            together[exchange.ticket.workspace_id].append(exchange)
            for _ in range(min(self._waiting.qsize(), MAX_TOGETHER - 1)):
                exchange = self._waiting.get_nowait()
                together[exchange.ticket.workspace_id].append(exchange)
            async with asyncio.TaskGroup() as group:
                for workspace_id, exchanges in together.items():
                    group.create_task(self._answer(workspace_id, exchanges))

    async def _answer(self, workspace_id: WorkspaceId, exchanges: list[_Exchange]) -> None:
        results: list[Issued | Fault] = [TemporarilyUnavailable(part="identity")] * len(exchanges)
        try:
            results = await use_up(self._ports, workspace_id, [one.ticket for one in exchanges])
        except Fault as fault:
            results = [fault] * len(exchanges)
        finally:
            # Also when this ends by a fault of ours: nobody waits for it until their deadline.
            for exchange, result in zip(exchanges, results, strict=True):
                exchange.settle(result)


async def use_up(
    ports: Ports, workspace_id: WorkspaceId, tickets: list[Ticket]
) -> list[Issued | Fault]:
    """What became of tickets of one workspace, in their order; each is good once.

    A ticket says by which session or key it was made; whether that still lets anybody in is looked
    at now, once for all tickets of one.
    """
    by_id = {ticket.id: ticket for ticket in tickets}
    outcomes: dict[str, Issued | Fault] = {}
    async with ports.app.begin(workspace_id) as transaction:
        fresh = await store.use(transaction, list(by_id.values()))
        used = [ticket for ticket in by_id.values() if ticket.id in fresh]
        keys = {one.credential_id for one in used if one.is_of_key}
        sessions = {one.credential_id for one in used if not one.is_of_key}
        for key in await store.keys(transaction, keys) if keys else ():
            outcomes[key.id] = await _outcome(issue_to_key(ports, key))
        for session, member in await store.sessions(transaction, sessions) if sessions else ():
            outcomes[session.id] = await _outcome(issue_to_session(ports, session, member))
            if session.is_due(ports.clock.now()):
                await touch(ports, transaction, session)
    results: list[Issued | Fault] = []
    for ticket in tickets:
        if ticket.id in fresh:
            fresh.remove(ticket.id)  # shown twice at once, it is good once all the same
            results.append(outcomes.get(ticket.credential_id, CredentialInvalid()))
        else:
            results.append(CredentialExpired())
    return results


async def _outcome(issuing: Coroutine[Any, Any, Issued]) -> Issued | Fault:
    try:
        return await issuing
    except Unauthenticated as refusal:
        return refusal
