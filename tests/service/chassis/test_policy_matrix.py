"""Every RPC of the suite by every kind of caller, generated from the contracts.

The handlers here do nothing: whoever reaches one was let in. What is expected is computed from the
option in the contract alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest

from chassis.auth import Role
from chassis.rpc import remote_fault
from chassis.rpc.channel import Credential, Metadata
from inbox.policy import v1 as policy_v1
from tests.contracts import ROLES, Contract, Rpc, all_contracts, all_rpcs, call
from tests.fakes import FakeClock
from tests.serving import SERVICE_KEY, Serving, bearer, new_workspace_id, serving

WORKSPACE = new_workspace_id()
RPCS = list(all_rpcs())
WELCOME = ""


def an_empty_servicer(contract: Contract) -> Any:
    """A servicer that lets everybody see that they were let in."""
    methods = {}
    for descriptor in contract.service.methods:
        rpc = Rpc(descriptor)

        async def answer(_: Any, request: Any, context: Any, rpc: Rpc = rpc) -> Any:
            return rpc.response()

        async def stream(_: Any, request: Any, context: Any, rpc: Rpc = rpc) -> Any:
            yield rpc.response()

        methods[descriptor.name] = stream if descriptor.server_streaming else answer
    return type(contract.service.name, (contract.servicer,), methods)()


@pytest.fixture
async def server() -> AsyncIterator[Serving]:
    services = [
        (contract.add_to_server, an_empty_servicer(contract)) for contract in all_contracts()
    ]
    async with serving(*services) as running:
        yield running


TRIES = 5


async def verdict(server: Serving, rpc: Rpc, metadata: Metadata) -> str:
    """The reason of the refusal, or WELCOME."""
    for _ in range(TRIES):
        try:
            await call(server.channel_with(metadata), rpc, rpc.request(), timeout=10)
        except grpc.aio.AioRpcError as error:
            fault = remote_fault(error)
            # A refusal that overtakes the client's own first write is told without its reason.
            if fault.reason or not rpc.descriptor.client_streaming:
                return fault.reason or error.code().name
        else:
            return WELCOME
    return f"no reason in {TRIES} tries"


def is_within_suite_only(rpc: Rpc) -> bool:
    return rpc.policy.across_workspaces and list(rpc.policy.roles) == [policy_v1.ROLE_SERVICE]


def expected_of(rpc: Rpc, role: Role) -> str:
    """What a caller of a role, bound to a workspace, is to hear."""
    if rpc.policy.anonymous:
        return WELCOME
    if ROLES[role] not in rpc.policy.roles or is_within_suite_only(rpc):
        return "ROLE_NOT_ALLOWED"
    return WELCOME


def expected_of_the_suite(rpc: Rpc) -> str:
    """What a process of ours that names no workspace is to hear."""
    if rpc.policy.anonymous or rpc.policy.across_workspaces:
        return WELCOME
    allowed = policy_v1.ROLE_SERVICE in rpc.policy.roles
    return "CREDENTIAL_INVALID" if allowed else "ROLE_NOT_ALLOWED"


def test_the_contracts_are_all_here() -> None:
    names = {rpc.name for rpc in RPCS}

    assert len(names) == len(RPCS) >= 50
    assert {"MessagingService/SendMessage", "RealtimeService/Watch"} <= names


@pytest.mark.parametrize("role", ROLES)
async def test_every_method_lets_in_the_roles_it_names_and_nobody_else(
    server: Serving, role: Role
) -> None:
    metadata = server.tokens.metadata(role, WORKSPACE)

    heard = {rpc.name: await verdict(server, rpc, metadata) for rpc in RPCS}

    assert heard == {rpc.name: expected_of(rpc, role) for rpc in RPCS}


async def test_the_suites_own_key_without_a_workspace_reaches_only_what_spans_them(
    server: Serving,
) -> None:
    metadata = Credential("test", SERVICE_KEY).metadata()

    heard = {rpc.name: await verdict(server, rpc, metadata) for rpc in RPCS}

    assert heard == {rpc.name: expected_of_the_suite(rpc) for rpc in RPCS}


@pytest.mark.parametrize("kind", ["none", "nonsense", "expired", "another key's", "revoked"])
async def test_without_a_good_credential_only_anonymous_methods_answer(
    server: Serving, kind: str
) -> None:
    tokens = server.tokens
    expired = FakeClock(tokens.clock.now() - timedelta(hours=1))
    credential = {
        "none": (),
        "nonsense": bearer("nonsense"),
        "another key's": bearer("service." + "x" * 40),
        "revoked": tokens.metadata(Role.OWNER, WORKSPACE, credential_id="gone"),
        "expired": bearer(_token_of(server, expired)),
    }[kind]
    server.revocations.end("gone")
    reason = {"none": "CREDENTIAL_MISSING", "expired": "CREDENTIAL_EXPIRED"}.get(
        kind, "CREDENTIAL_INVALID"
    )

    heard = {rpc.name: await verdict(server, rpc, credential) for rpc in RPCS}

    # A key that claims to be the suite's own is judged, even where none is needed.
    open_to_all = WELCOME if kind != "another key's" else reason
    assert heard == {rpc.name: open_to_all if rpc.policy.anonymous else reason for rpc in RPCS}


def _token_of(server: Serving, clock: FakeClock) -> str:
    present, server.tokens.clock = server.tokens.clock, clock
    try:
        return server.tokens.token(Role.OWNER, WORKSPACE)
    finally:
        server.tokens.clock = present
