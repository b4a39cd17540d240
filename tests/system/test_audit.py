"""Every command that changes something leaves an entry that says who did it, or says why not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from google.protobuf import json_format

from inbox.assistant import v1 as assistant_v1
from inbox.audit import v1 as audit_v1
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.media import v1 as media_v1
from inbox.messaging import v1 as messaging_v1
from suite.databases import DatabaseUrls, connected, with_database
from suite.testing import TestServers, test_servers
from tests.contracts import all_rpcs
from tests.running_inbox import RunningInbox
from tests.serving import SERVICE_KEY, bearer
from tests.system.deeds import DEEDS, NOT_AUDITED, Stage
from tests.system.services import SERVED_BY, Services, fresh_databases, running_services, within
from tests.system.tenants import a_tenant

AUDITS: dict[str, Any] = {
    "assistant": assistant_v1.AssistantAuditServiceStub,
    "identity": identity_v1.IdentityAuditServiceStub,
    "conversation": conversation_v1.ConversationAuditServiceStub,
    "messaging": messaging_v1.MessagingAuditServiceStub,
    "media": media_v1.MediaAuditServiceStub,
}


@pytest.fixture(scope="module")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture
def urls(servers: TestServers) -> Iterator[dict[str, DatabaseUrls]]:
    with fresh_databases(servers) as urls:
        yield urls


@pytest.fixture
async def services(
    urls: dict[str, DatabaseUrls], servers: TestServers, tmp_path: Path
) -> AsyncIterator[Services]:
    async with running_services(urls, servers, tmp_path) as running:
        yield running


@pytest.fixture
async def stage(services: Services, servers: TestServers) -> Stage:
    return Stage(services, servers, await a_tenant(services, "the-tenant"))


def audit_of(services: Services, domain: str) -> Any:
    """Each service answers under a name of its own."""
    return AUDITS[domain](services.channels[domain])


async def entries(services: Services, domain: str, workspace_id: str) -> list[audit_v1.AuditEntry]:
    """Newest first, as a process of the suite that acts in the workspace."""
    listed = await audit_of(services, domain).ListAuditEntries(
        audit_v1.ListAuditEntriesRequest(page_size=200), metadata=within(workspace_id)
    )
    return list(listed.audit_entries)


def test_every_rpc_that_changes_something_is_audited_or_says_why_not() -> None:
    writing = {rpc.name for rpc in all_rpcs() if not rpc.policy.read_only}

    assert writing == DEEDS.keys() | NOT_AUDITED.keys()
    assert not DEEDS.keys() & NOT_AUDITED.keys()
    assert all(NOT_AUDITED.values())


async def test_every_command_leaves_an_entry_that_says_who_did_it(stage: Stage) -> None:
    silent: dict[str, str] = {}
    for name, deed in DEEDS.items():
        domain = SERVED_BY[name.partition("/")[0]]
        seen = {one.id for one in await entries(stage.services, domain, stage.tenant.workspace_id)}

        workspace_id = await deed.act(stage) or stage.tenant.workspace_id

        fresh = [
            one
            for one in await entries(stage.services, domain, workspace_id)
            if one.id not in seen and one.command == name
        ]
        if not fresh:
            silent[name] = "left no entry"
        elif {one.actor.kind for one in fresh} != {deed.by}:
            silent[name] = f"names {fresh[0].actor}"
        elif any(not one.actor.id or not one.actor.display_name for one in fresh):
            silent[name] = f"does not say who {fresh[0].actor} is"
        elif any(not one.traceparent or not one.entity_id for one in fresh):
            silent[name] = f"is incomplete: {fresh[0]}"

    assert silent == {}
    await no_secret_was_kept(stage)
    await every_chain_is_whole(stage)


async def no_secret_was_kept(stage: Stage) -> None:
    assert len(stage.secrets) > 8
    for domain, urls in stage.services.urls.items():
        async with connected(with_database(stage.servers.database_url, urls.name)) as connection:
            rows = await connection.fetch("SELECT audit_entries::text AS row FROM audit_entries")
        assert rows, domain
        kept = "\n".join(row["row"] for row in rows)
        assert [secret for secret in stage.secrets if secret in kept] == []


async def every_chain_is_whole(stage: Stage) -> None:
    """By the owner's own key, service by service; and by the suite, workspace by workspace."""
    for domain in AUDITS:
        audit, owner = audit_of(stage.services, domain), stage.tenant.owner_key
        verified = await audit.VerifyAuditChain(audit_v1.VerifyAuditChainRequest(), metadata=owner)
        assert not verified.HasField("broken"), domain
        token = ""
        while True:
            request = audit_v1.VerifyAuditChainRequest(page_token=token)
            answer = await audit.VerifyAuditChain(request, metadata=bearer(SERVICE_KEY))
            assert not answer.HasField("broken"), domain
            token = answer.next_page_token
            if not token:
                break


async def test_messages_and_read_marks_leave_no_entry(stage: Stage) -> None:
    """The negative control: what is excepted is so, also in the table of exceptions."""
    before = {
        domain: len(await entries(stage.services, domain, stage.tenant.workspace_id))
        for domain in ("messaging", "conversation")
    }

    await stage.to.messaging.SendMessage(
        messaging_v1.SendMessageRequest(
            conversation_id=stage.tenant.conversation_id,
            client_message_id="0190f3a4-0000-7000-8000-000000000001",
            text="not audited",
        ),
        metadata=stage.owner,
    )
    await stage.to.conversation.MarkRead(
        conversation_v1.MarkReadRequest(
            conversation_id=stage.tenant.conversation_id,
            request_id="0190f3a4-0000-7000-8000-000000000002",
            read_ordinal=1,
        ),
        metadata=stage.owner,
    )

    for domain, count in before.items():
        assert len(await entries(stage.services, domain, stage.tenant.workspace_id)) == count


@pytest.mark.parametrize("domain", AUDITS)
async def test_each_services_audit_is_reached_by_its_name_through_envoy_and_the_gateway(
    suite: RunningInbox, domain: str
) -> None:
    path = f"/inbox.{domain}.v1.{domain.title()}AuditService/ListAuditEntries"
    request = audit_v1.ListAuditEntriesRequest(page_size=3)
    key, address = suite.key("owner"), suite.grpc_target

    async with grpc.aio.insecure_channel(address) as channel:
        stub = AUDITS[domain](channel)
        listed = await stub.ListAuditEntries(request, metadata=bearer(key), timeout=10)
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{suite.url}{path}",
            data=json_format.MessageToJson(request),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {key}",
            },
        ) as answer,
    ):
        assert answer.status == 200, await answer.text()
        by_connect = json_format.ParseDict(await answer.json(), audit_v1.ListAuditEntriesResponse())

    assert by_connect.audit_entries == listed.audit_entries
    written_by = {SERVED_BY[one.command.partition("/")[0]] for one in listed.audit_entries}
    assert written_by <= {domain}
    assert listed.audit_entries or domain != "identity", "the owner's key was made, by somebody"
