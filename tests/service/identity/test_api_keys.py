"""API keys and the tokens they are exchanged for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
import pytest

from chassis.auth import Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.rpc import remote_fault
from chassis.secrets import MasterKeys
from inbox.identity import v1
from inbox.policy import v1 as policy_v1
from services.identity.actions.ports import Ports
from services.identity.actions.signing_keys import SigningKeys
from services.identity.actions.tokens import exchange_api_key
from tests.fakes import FakeClock
from tests.service.identity.conftest import MASTER_KEY, Desk
from tests.serving import SERVICE_KEY

NEW_MASTER_KEY = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return remote_fault(caught.value).reason


def a_request(**fields: Any) -> v1.CreateApiKeyRequest:
    present = {"request_id": new_id(), "display_name": "CRM", "role": policy_v1.ROLE_AGENT}
    return v1.CreateApiKeyRequest(**{**present, **fields})


async def test_a_key_lets_a_program_in_with_its_role(desk: Desk) -> None:
    created = await desk.as_owner.CreateApiKey(a_request(role=policy_v1.ROLE_BOT))

    who = await desk.with_credential(created.secret).GetSelf(v1.GetSelfRequest())

    assert created.secret.startswith(f"ik_{created.api_key.id}.")
    assert who.subject.role == policy_v1.ROLE_BOT
    assert who.subject.display_name == "CRM"
    assert who.workspace.id == desk.workspace_id


async def test_a_repeat_shows_the_secret_again_for_a_day(desk: Desk, clock: FakeClock) -> None:
    request = a_request()
    first = await desk.as_owner.CreateApiKey(request)

    clock.advance(timedelta(hours=23))
    token = await desk.token_of(desk.owner_session)
    within = await desk.with_credential(token).CreateApiKey(request)
    clock.advance(timedelta(hours=2))
    token = await desk.token_of(desk.owner_session)
    later = await desk.with_credential(token).CreateApiKey(request)

    assert within == first
    assert later.api_key == first.api_key
    assert later.secret == ""


async def test_a_request_id_stands_for_one_key(desk: Desk) -> None:
    request = a_request()
    await desk.as_owner.CreateApiKey(request)
    request.display_name = "another"

    assert await refusal(desk.as_owner.CreateApiKey(request)) == "IDEMPOTENCY_KEY_REUSED"


async def test_the_same_request_id_elsewhere_is_another_key(desk: Desk, other_desk: Desk) -> None:
    request = a_request()

    here = await desk.as_owner.CreateApiKey(request)
    there = await other_desk.as_owner.CreateApiKey(request)

    assert here.api_key.id != there.api_key.id
    assert here.secret != there.secret


@pytest.mark.parametrize(
    "fields",
    [
        {"request_id": ""},
        {"display_name": ""},
        {"role": policy_v1.ROLE_VISITOR},
        {"role": policy_v1.ROLE_UNSPECIFIED},
        {"expire_time": {"seconds": 1}},
        {"expire_time": {"seconds": 2**60}},
        {"expire_time": {"seconds": 1, "nanos": -5}},
    ],
)
async def test_a_key_that_cannot_be_is_refused(desk: Desk, fields: dict[str, Any]) -> None:
    assert await refusal(desk.as_owner.CreateApiKey(a_request(**fields))) == "INVALID_ARGUMENT"


async def test_a_key_ends_when_it_should_and_so_do_its_tokens(desk: Desk, clock: FakeClock) -> None:
    request = a_request()
    request.expire_time.FromDatetime(clock.now() + timedelta(minutes=5))
    created = await desk.as_owner.CreateApiKey(request)
    exchange = v1.ExchangeTokenRequest(api_key=created.secret)

    exchanged = await desk.anyone.ExchangeToken(exchange)
    clock.advance(timedelta(minutes=5, seconds=5))

    assert exchanged.access_token.expire_time == request.expire_time
    assert await refusal(desk.anyone.ExchangeToken(exchange)) == "CREDENTIAL_EXPIRED"
    stub = desk.with_credential(exchanged.access_token.token)
    assert await refusal(stub.GetSelf(v1.GetSelfRequest())) == "CREDENTIAL_EXPIRED"


async def test_a_revoked_key_is_exchanged_no_more_and_a_repeat_returns_the_same(
    desk: Desk,
) -> None:
    created = await desk.as_owner.CreateApiKey(a_request())
    revoke = v1.RevokeApiKeyRequest(api_key_id=created.api_key.id)

    first = await desk.as_owner.RevokeApiKey(revoke)
    second = await desk.as_owner.RevokeApiKey(revoke)

    assert first == second
    assert first.api_key.HasField("revoke_time")
    exchange = v1.ExchangeTokenRequest(api_key=created.secret)
    assert await refusal(desk.anyone.ExchangeToken(exchange)) == "CREDENTIAL_INVALID"


async def test_a_wrong_secret_and_an_unknown_key_look_the_same(desk: Desk) -> None:
    created = await desk.as_owner.CreateApiKey(a_request())
    wrong = created.secret[:-5] + "AAAAA"
    unknown = f"ik_{new_id()}.{'A' * 43}"

    answers = [
        await refusal(desk.anyone.ExchangeToken(v1.ExchangeTokenRequest(api_key=key)))
        for key in (wrong, unknown)
    ]

    assert answers == ["CREDENTIAL_INVALID"] * 2


async def test_keys_are_listed_newest_first_without_their_secrets(
    desk: Desk, clock: FakeClock
) -> None:
    expected: list[str] = []
    for _ in range(3):
        clock.advance(timedelta(seconds=1))
        created = await desk.as_owner.CreateApiKey(a_request())
        expected.insert(0, created.api_key.id)

    first = await desk.as_owner.ListApiKeys(v1.ListApiKeysRequest(page_size=2))
    second = await desk.as_owner.ListApiKeys(
        v1.ListApiKeysRequest(page_size=2, page_token=first.next_page_token)
    )

    assert [key.id for key in (*first.api_keys, *second.api_keys)] == expected
    assert second.next_page_token == ""


async def test_keys_outlive_a_change_of_the_master_key(desk: Desk, ports: Ports) -> None:
    request = a_request()
    created = await desk.as_owner.CreateApiKey(request)

    changed = replace(ports, master_keys=MasterKeys(f"{NEW_MASTER_KEY},{MASTER_KEY}"))

    assert (await exchange_api_key(changed, created.secret)).caller.role is Role.AGENT


async def test_a_service_key_gives_a_token_in_the_workspace_named_or_in_none(desk: Desk) -> None:
    bound = await desk.anyone.ExchangeToken(
        v1.ExchangeTokenRequest(service_key=SERVICE_KEY, workspace_id=desk.workspace_id)
    )
    unbound = await desk.anyone.ExchangeToken(v1.ExchangeTokenRequest(service_key=SERVICE_KEY))
    nowhere = v1.ExchangeTokenRequest(service_key=SERVICE_KEY, workspace_id=new_id())

    assert bound.subject.workspace_id == desk.workspace_id
    assert unbound.subject.workspace_id == ""
    assert bound.subject.role == unbound.subject.role == policy_v1.ROLE_SERVICE
    assert await refusal(desk.anyone.ExchangeToken(nowhere)) == "WORKSPACE_NOT_FOUND"


async def test_a_visitors_token_is_bound_to_the_conversation(desk: Desk) -> None:
    request = v1.IssueVisitorTokenRequest(
        channel_id=new_id(), external_id="visitor-1", conversation_id=new_id()
    )

    issued = await desk.as_service.IssueVisitorToken(request)

    caller = await desk.server.guard.authenticator.caller_of(
        {"authorization": f"Bearer {issued.access_token.token}"}
    )
    assert caller.role is Role.VISITOR
    assert caller.workspace_id == WorkspaceId(desk.workspace_id)
    assert caller.visitor is not None
    assert caller.visitor.conversation_id == request.conversation_id


async def test_signing_keys_change_while_tokens_go_on(
    desk: Desk, ports: Ports, clock: FakeClock
) -> None:
    before = ports.signing_keys.jwks()
    clock.advance(timedelta(days=29, minutes=1))
    await ports.signing_keys.load()
    announced = ports.signing_keys.jwks()
    last_of_old = await desk.token_of(desk.owner_session)

    clock.advance(timedelta(days=1))
    first_of_new = await desk.token_of(desk.owner_session)

    assert announced.count('"kid"') == before.count('"kid"') + 1
    assert last_of_old.split(".")[0] != first_of_new.split(".")[0]
    assert await desk.with_credential(first_of_new).GetSelf(v1.GetSelfRequest())


async def test_two_replicas_at_once_make_one_signing_key(
    ports: Ports, worker: Database, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=400))
    replicas = [SigningKeys(worker, ports.master_keys, clock) for _ in range(3)]

    async with asyncio.TaskGroup() as group:
        for replica in replicas:
            group.create_task(replica.load())

    assert len({replica.jwks() for replica in replicas}) == 1
    assert replicas[0].jwks().count('"kid"') == 1
