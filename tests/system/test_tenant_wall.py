"""No workspace sees, changes or hears of another: every RPC, every role, both locks and each alone.

The code's own check and PostgreSQL's row security must each suffice (I14). One test takes row
security out of every database; another makes the code believe the outsider is at home, so that
only row security is left. What the outsider gets back is searched for the other's ids and words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import grpc
import pytest

from chassis import database as chassis_database
from chassis import row_security
from chassis.auth import Role
from chassis.ids import WorkspaceId
from chassis.rpc import remote_fault
from inbox.assistant import v1 as assistant_v1
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from suite.databases import DatabaseUrls
from tests.contracts import ROLES, Rpc, all_rpcs, call
from tests.serving import bearer
from tests.system.probes import PROBES, Hears
from tests.system.services import Services
from tests.system.tenants import Stubs, Tenant, a_tenant

RPCS = {rpc.name: rpc for rpc in all_rpcs()}
PATIENCE_SECONDS = 10.0
STREAM_SECONDS = 0.3
"""How long a stream without an end is listened to."""


@pytest.fixture
async def victim(services: Services) -> Tenant:
    return await a_tenant(services, "words-of-the-victim")


@pytest.fixture
async def outsider(services: Services) -> Tenant:
    return await a_tenant(services, "words-of-the-outsider")


def test_every_rpc_is_tried() -> None:
    assert PROBES.keys() == RPCS.keys()


async def attempt(
    services: Services, rpc: Rpc, victim: Tenant, caller: Tenant, role: Role
) -> tuple[str, bytes]:
    """What a caller hears, in a word, and everything that came back."""
    request = rpc.request(**PROBES[rpc.name].fields(victim))
    endless = rpc.descriptor.server_streaming and rpc.descriptor.name.startswith("Watch")
    try:
        responses = await call(
            services.channel_for(rpc),
            rpc,
            request,
            metadata=caller.callers[role],
            timeout=STREAM_SECONDS if endless else PATIENCE_SECONDS,
        )
    except grpc.aio.AioRpcError as error:
        fault = remote_fault(error)
        said = [error.details() or "", *fault.metadata.values()]
        return error.code().name, "\n".join(said).encode()
    content = b"".join(response.SerializeToString() for response in responses)
    if isinstance(responses[0], messaging_v1.SendMessagesResponse):
        number = responses[0].results[0].error.code
        return next(code.name for code in grpc.StatusCode if code.value[0] == number), content
    return "OK", content


def attempts() -> Iterator[tuple[Rpc, Role]]:
    """Every RPC with every role that may call it at all."""
    for rpc in RPCS.values():
        if PROBES[rpc.name].hears is not Hears.OPEN:
            for role, number in ROLES.items():
                if number in rpc.policy.roles:
                    yield rpc, role


EXPECTED = {
    Hears.NOT_FOUND: {"NOT_FOUND"},
    # A forwarder says whose message it is, or is refused at once.
    Hears.REFUSED_ITEM: {"NOT_FOUND", "PERMISSION_DENIED"},
    Hears.NOTHING: {"PERMISSION_DENIED"},
    Hears.OWN: {"OK", "DEADLINE_EXCEEDED", "PERMISSION_DENIED", "INVALID_ARGUMENT"},
}
"""For OWN what matters is what is said. A key has no password; some files may not be empty."""


async def all_attempts(
    services: Services, victim: Tenant, caller: Tenant, *, in_code_at_home: bool = False
) -> dict[str, str]:
    """Everything that did not go as it should, by RPC and role."""
    wrong: dict[str, str] = {}
    for rpc, role in attempts():
        request = rpc.request(**PROBES[rpc.name].fields(victim)).SerializeToString()
        heard, content = await attempt(services, rpc, victim, caller, role)
        # Somebody who passes for the owner knows the owner's id already.
        known = caller.owner_id.encode() if in_code_at_home else request
        secrets = [one for one in victim.secrets() if one not in request and one != known]
        leaked = [one for one in secrets if one in content]
        if leaked:
            wrong[f"{rpc.name} by {role.value}"] = f"{heard} showed {leaked}"
        elif in_code_at_home:
            continue
        elif heard not in EXPECTED[PROBES[rpc.name].hears]:
            wrong[f"{rpc.name} by {role.value}"] = heard
    return wrong


async def present_state(services: Services, tenant: Tenant) -> dict[str, Any]:
    """What a workspace's owner sees of everything the outsider might have changed."""
    stubs, owner = Stubs(services), tenant.callers[Role.OWNER]
    page = await stubs.conversation.ListConversations(
        conversation_v1.ListConversationsRequest(), metadata=owner
    )
    messages = await stubs.messaging.ListMessages(
        messaging_v1.ListMessagesRequest(conversation_id=tenant.conversation_id), metadata=owner
    )
    thread = await stubs.messaging.GetThread(
        messaging_v1.GetThreadRequest(conversation_id=tenant.conversation_id), metadata=owner
    )
    tags = await stubs.tags.ListTags(conversation_v1.ListTagsRequest(), metadata=owner)
    members = await stubs.identity.ListMembers(identity_v1.ListMembersRequest(), metadata=owner)
    keys = await stubs.identity.ListApiKeys(identity_v1.ListApiKeysRequest(), metadata=owner)
    channels = await stubs.channels.ListChannels(messaging_v1.ListChannelsRequest(), metadata=owner)
    articles = await stubs.knowledge.ListArticles(
        assistant_v1.ListArticlesRequest(), metadata=owner
    )
    settings = await stubs.assistant.GetAssistantSettings(
        assistant_v1.GetAssistantSettingsRequest(), metadata=owner
    )
    session = await stubs.identity.ExchangeToken(
        identity_v1.ExchangeTokenRequest(session_token=tenant.session_token)
    )
    return {
        "conversations": [one.SerializeToString() for one in page.conversations],
        "tags": [one.SerializeToString() for one in tags.tags],
        "messages": [one.SerializeToString() for one in messages.messages],
        "thread": thread.thread.SerializeToString(),
        "members": [one.SerializeToString() for one in members.members],
        "keys": [one.SerializeToString() for one in keys.api_keys],
        "channels": [one.SerializeToString() for one in channels.channels],
        "articles": [one.SerializeToString() for one in articles.articles],
        "assistant": settings.settings.SerializeToString(),
        "session is good": bool(session.access_token.token),
    }


async def test_nobody_reaches_into_another_workspace(
    services: Services, victim: Tenant, outsider: Tenant
) -> None:
    before = await present_state(services, victim)

    wrong = await all_attempts(services, victim, outsider)

    assert wrong == {}
    assert await present_state(services, victim) == before


async def test_the_codes_own_check_suffices_without_row_security(
    services: Services, urls: dict[str, DatabaseUrls], victim: Tenant, outsider: Tenant
) -> None:
    before = await present_state(services, victim)
    for database in urls.values():
        await take_row_security_out(database)

    wrong = await all_attempts(services, victim, outsider)

    assert wrong == {}
    assert await present_state(services, victim) == before


async def take_row_security_out(database: DatabaseUrls) -> None:
    connection = await asyncpg.connect(database.owner)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relrowsecurity "
            "AND relnamespace = 'public'::regnamespace"
        )
        assert tables
        for table in tables:
            await connection.execute(f"ALTER TABLE {table['relname']} DISABLE ROW LEVEL SECURITY")
    finally:
        await connection.close()


async def test_row_security_suffices_without_the_codes_own_check(
    services: Services,
    victim: Tenant,
    outsider: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The victim's own credentials stand for code that lets the outsider pass as them."""
    before = await present_state(services, victim)
    honest = row_security.workspace_setting

    def see_as_outsider(workspace_id: WorkspaceId) -> str:
        if workspace_id == victim.workspace_id:
            return honest(WorkspaceId(outsider.workspace_id))
        return honest(workspace_id)

    with monkeypatch.context() as patched:
        for module in (row_security, chassis_database):
            patched.setattr(module, "workspace_setting", see_as_outsider)
        wrong = await all_attempts(services, victim, victim, in_code_at_home=True)
        await asyncio.sleep(0.5)

    assert wrong == {}
    assert await present_state(services, victim) == before


async def test_the_wall_is_felt_when_both_locks_are_out(
    services: Services, urls: dict[str, DatabaseUrls], victim: Tenant
) -> None:
    """The negative control: the same attempts by somebody at home do show and change things."""
    before = await present_state(services, victim)
    for database in urls.values():
        await take_row_security_out(database)

    wrong = await all_attempts(services, victim, victim)

    assert len(wrong) > len(RPCS) / 2
    assert await present_state_or_nothing(services, victim) != before


async def present_state_or_nothing(services: Services, tenant: Tenant) -> dict[str, Any]:
    try:
        return await present_state(services, tenant)
    except grpc.aio.AioRpcError:
        return {}


async def test_a_customer_of_one_workspace_is_nobody_in_another(
    services: Services, victim: Tenant, outsider: Tenant
) -> None:
    visitor = outsider.callers[Role.VISITOR]
    stubs = Stubs(services)

    listed = await stubs.chat.ListMessages(
        messaging_v1.WebChatServiceListMessagesRequest(), metadata=visitor
    )

    assert victim.mark.encode() not in listed.SerializeToString()
    assert outsider.mark.encode() in listed.SerializeToString()
    stolen = bearer(dict(visitor)["authorization"].removeprefix("Bearer ") + "x")
    with pytest.raises(grpc.aio.AioRpcError):
        await stubs.chat.ListMessages(
            messaging_v1.WebChatServiceListMessagesRequest(), metadata=stolen
        )
