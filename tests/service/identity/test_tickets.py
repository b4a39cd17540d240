"""Tickets for live sockets: good once, soon, and only for whom they were made."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import new_id
from chassis.rpc import remote_fault
from chassis.secrets import MasterKeys
from chassis.tasks import Supervisor
from inbox.identity import v1
from inbox.policy import v1 as policy_v1
from services.identity.actions.housekeeping import sweep
from services.identity.actions.ports import Ports
from services.identity.actions.tickets import PURPOSE, Tickets, genuine
from services.identity.model.tickets import parse_ticket
from tests.fakes import FakeClock
from tests.service.identity.conftest import Desk

OTHER_MASTER_KEY = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return remote_fault(raised.value).reason


async def a_ticket(stub: v1.IdentityServiceStub) -> str:
    return (await stub.CreateTicket(v1.CreateTicketRequest())).ticket


async def a_ticket_of_somebody(desk: Desk, role: Role = Role.AGENT) -> str:
    _, session, _ = await desk.a_member(role)
    return await a_ticket(desk.with_credential(await desk.token_of(session)))


def shown(ticket: str) -> v1.ExchangeTokenRequest:
    return v1.ExchangeTokenRequest(ticket=ticket)


async def a_key(desk: Desk, **given: Any) -> v1.CreateApiKeyResponse:
    request = v1.CreateApiKeyRequest(
        request_id=new_id(), display_name="robot", role=policy_v1.ROLE_AGENT, **given
    )
    return await desk.as_owner.CreateApiKey(request)


async def test_a_ticket_is_good_once_and_for_thirty_seconds(desk: Desk, clock: FakeClock) -> None:
    _, session, _ = await desk.a_member(Role.READ_ONLY)
    stub = desk.with_credential(await desk.token_of(session))
    first = await stub.CreateTicket(v1.CreateTicketRequest())
    second = await stub.CreateTicket(v1.CreateTicketRequest())

    used = await desk.anyone.ExchangeToken(v1.ExchangeTokenRequest(ticket=first.ticket))
    again = await refusal(desk.anyone.ExchangeToken(v1.ExchangeTokenRequest(ticket=first.ticket)))
    clock.advance(timedelta(seconds=30))
    late = await refusal(desk.anyone.ExchangeToken(v1.ExchangeTokenRequest(ticket=second.ticket)))

    assert used.subject.role == policy_v1.ROLE_READ_ONLY
    assert again == late == "CREDENTIAL_EXPIRED"


async def test_a_ticket_of_a_session_that_ended_opens_nothing(desk: Desk) -> None:
    _, session, _ = await desk.a_member()
    stub = desk.with_credential(await desk.token_of(session))
    ticket = (await stub.CreateTicket(v1.CreateTicketRequest())).ticket
    await stub.SignOut(v1.SignOutRequest())

    answer = await refusal(desk.anyone.ExchangeToken(v1.ExchangeTokenRequest(ticket=ticket)))

    assert answer == "CREDENTIAL_INVALID"


async def test_a_ticket_shown_many_times_at_once_is_good_once(desk: Desk) -> None:
    ticket = await a_ticket_of_somebody(desk)

    answers = await asyncio.gather(
        *(desk.anyone.ExchangeToken(shown(ticket)) for _ in range(20)), return_exceptions=True
    )

    refused = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(refused) == 19
    assert {remote_fault(one).reason for one in refused} == {"CREDENTIAL_EXPIRED"}


async def test_a_ticket_used_at_one_replica_is_used_at_the_others(desk: Desk, ports: Ports) -> None:
    ticket = await a_ticket_of_somebody(desk)
    other_replica = Tickets(ports)
    async with Supervisor() as supervisor:
        supervisor.supervise("tickets", other_replica.run)
        issued = await other_replica.exchange(ticket)

    assert issued.caller.workspace_id == desk.workspace_id
    assert await refusal(desk.anyone.ExchangeToken(shown(ticket))) == "CREDENTIAL_EXPIRED"


async def test_tickets_that_wait_together_are_one_transaction(
    desk: Desk, other_desk: Desk, ports: Ports
) -> None:
    tickets = Tickets(ports)
    shown_here = [await a_ticket_of_somebody(desk) for _ in range(5)]
    shown_here += [await a_ticket(desk.as_owner) for _ in range(5)]
    shown_there = await a_ticket(other_desk.as_owner)
    waiting = [asyncio.ensure_future(tickets.exchange(one)) for one in (*shown_here, shown_there)]
    await asyncio.sleep(0)

    async with Supervisor() as supervisor:
        supervisor.supervise("tickets", tickets.run)
        issued = await asyncio.gather(*waiting)

    workspaces = [one.caller.workspace_id for one in issued]
    assert workspaces == [desk.workspace_id] * 10 + [other_desk.workspace_id]
    assert len({one.caller.id for one in issued}) == 7
    async with ports.app.read(desk.workspace_id) as reading:
        transactions = "SELECT count(*), count(DISTINCT xmin::text) FROM used_tickets"
        assert tuple(await reading.raw.fetchrow(transactions) or ()) == (10, 1)


async def test_a_call_that_ended_takes_none_of_the_others_along(desk: Desk, ports: Ports) -> None:
    tickets = Tickets(ports)
    impatient = asyncio.ensure_future(tickets.exchange(await a_ticket_of_somebody(desk)))
    patient = asyncio.ensure_future(tickets.exchange(await a_ticket_of_somebody(desk)))
    await asyncio.sleep(0)
    impatient.cancel()

    async with Supervisor() as supervisor:
        supervisor.supervise("tickets", tickets.run)
        issued = await patient

    assert issued.caller.workspace_id == desk.workspace_id
    assert impatient.cancelled()


async def test_a_ticket_that_somebody_changed_opens_nothing(desk: Desk, ports: Ports) -> None:
    ticket = await a_ticket_of_somebody(desk)
    for place in range(3, len(ticket)):
        other = "A" if ticket[place] != "A" else "B"
        if place in {75, len(ticket) - 1}:
            continue  # the dot, and a letter whose last bits mean nothing
        changed = ticket[:place] + other + ticket[place + 1 :]
        assert await refusal(desk.anyone.ExchangeToken(shown(changed))) == "CREDENTIAL_INVALID"

    assert (await desk.anyone.ExchangeToken(shown(ticket))).access_token.token


async def test_a_ticket_signed_by_another_key_opens_nothing(desk: Desk, ports: Ports) -> None:
    parsed = parse_ticket(await a_ticket_of_somebody(desk))
    assert parsed is not None
    mac = next(iter(MasterKeys(OTHER_MASTER_KEY).macs(PURPOSE, parsed.ticket.body)))
    forged = parsed.ticket.text(mac)

    assert await refusal(desk.anyone.ExchangeToken(shown(forged))) == "CREDENTIAL_INVALID"
    assert genuine(ports, parsed.ticket.text(parsed.mac)) == parsed.ticket


async def test_a_ticket_of_a_key_stands_for_the_key(desk: Desk) -> None:
    key = await a_key(desk)

    used = await desk.anyone.ExchangeToken(shown(await a_ticket(desk.with_credential(key.secret))))

    assert used.subject.id == used.credential_id == key.api_key.id
    assert used.subject.role == policy_v1.ROLE_AGENT


async def test_a_ticket_of_a_key_that_was_revoked_opens_nothing(desk: Desk) -> None:
    key = await a_key(desk)
    ticket = await a_ticket(desk.with_credential(key.secret))
    await desk.as_owner.RevokeApiKey(v1.RevokeApiKeyRequest(api_key_id=key.api_key.id))

    assert await refusal(desk.anyone.ExchangeToken(shown(ticket))) == "CREDENTIAL_INVALID"


async def test_a_ticket_of_a_member_who_was_removed_opens_nothing(desk: Desk) -> None:
    member, session, _ = await desk.a_member()
    ticket = await a_ticket(desk.with_credential(await desk.token_of(session)))
    await desk.as_owner.RemoveMember(v1.RemoveMemberRequest(member_id=member.id))

    assert await refusal(desk.anyone.ExchangeToken(shown(ticket))) == "CREDENTIAL_INVALID"


async def test_used_tickets_are_forgotten_after_their_end(
    desk: Desk, ports: Ports, clock: FakeClock
) -> None:
    await desk.anyone.ExchangeToken(shown(await a_ticket_of_somebody(desk)))

    async def kept() -> int:
        async with ports.app.read(desk.workspace_id) as reading:
            return int(await reading.raw.fetchval("SELECT count(*) FROM used_tickets"))

    clock.advance(timedelta(minutes=4))
    await sweep(ports)
    assert await kept() == 1
    clock.advance(timedelta(minutes=2))
    await sweep(ports)
    assert await kept() == 0
