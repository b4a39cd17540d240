"""VerifyAuditChain: an owner verifies their chain, the suite all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import grpc
import pytest

from chassis import audit_log
from chassis.rpc import remote_fault
from inbox.audit import v1 as audit_v1
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database
from tests.service.chassis.auditing import DELETE, Desk, forge_third, open_desk, write_five
from tests.service.chassis.conftest import SERVICE, migrate_here

ALL = audit_v1.VerifyAuditChainRequest()


@pytest.fixture(scope="module")
def shared_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, SERVICE, migrate_here) as urls:
        yield urls


@pytest.fixture
async def desk(shared_urls: DatabaseUrls, servers: TestServers) -> AsyncIterator[Desk]:
    async with open_desk(shared_urls, servers) as desk:
        yield desk


async def test_an_owner_verifies_a_long_chain_part_by_part(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "MAX_VERIFIED", 2)
    await write_five(desk)
    counts, token = [], ""

    for _ in range(3):
        answer = await desk.as_owner.VerifyAuditChain(
            audit_v1.VerifyAuditChainRequest(page_token=token)
        )
        counts.append(answer.verified_count)
        token = answer.next_page_token

    assert (counts, token) == ([2, 2, 1], "")
    assert not answer.HasField("broken")
    assert answer.anchor.position == 5
    assert answer.anchor.hash == (await desk.entries())[0].hash


async def test_an_owner_hands_in_the_end_they_kept(desk: Desk) -> None:
    await write_five(desk)
    kept = (await desk.as_owner.VerifyAuditChain(ALL)).anchor
    request = audit_v1.VerifyAuditChainRequest(anchor=kept)
    assert not (await desk.as_owner.VerifyAuditChain(request)).HasField("broken")

    await forge_third(desk)

    broken = (await desk.as_owner.VerifyAuditChain(request)).broken
    assert broken.kind == audit_v1.AUDIT_BREAK_KIND_ANCHOR_MISSED
    assert broken.workspace_id == desk.workspace_id
    assert broken.audit_entry_id == (await desk.entries())[0].id


async def test_the_suite_verifies_every_workspace(urls: DatabaseUrls, servers: TestServers) -> None:
    async with open_desk(urls, servers) as desk:
        await verify_three_workspaces(desk)


async def verify_three_workspaces(desk: Desk) -> None:
    desks = sorted([desk, desk.elsewhere(), desk.elsewhere()], key=lambda one: one.workspace_id)
    for one in desks:
        await write_five(one)
    assert await verified_by_the_suite(desk) == (15, None)

    await desks[1].tamper(DELETE.format(1), "DELETE FROM audit_chains WHERE workspace_id = $1")
    assert await verified_by_the_suite(desk) == (10, None), "nothing is left that could tell"

    await desks[2].tamper(DELETE.format(1))
    count, broken = await verified_by_the_suite(desk)
    assert (count, broken and broken.workspace_id) == (5, desks[2].workspace_id)


async def verified_by_the_suite(desk: Desk) -> tuple[int, audit_v1.AuditBreak | None]:
    count, token = 0, ""
    while True:
        answer = await desk.as_suite.VerifyAuditChain(
            audit_v1.VerifyAuditChainRequest(page_token=token)
        )
        count, token = count + answer.verified_count, answer.next_page_token
        if answer.HasField("broken"):
            return count, answer.broken
        if not token:
            return count, None


@pytest.mark.parametrize(
    ("anchor", "rule"),
    [
        (audit_v1.AuditAnchor(position=-1, hash=bytes(32)), "earlier answer"),
        (audit_v1.AuditAnchor(position=3, hash=b"short"), "earlier answer"),
    ],
)
async def test_an_anchor_that_is_none_is_refused(
    desk: Desk, anchor: audit_v1.AuditAnchor, rule: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.as_owner.VerifyAuditChain(audit_v1.VerifyAuditChainRequest(anchor=anchor))

    assert remote_fault(caught.value).reason == "INVALID_ARGUMENT"
    assert rule in (caught.value.details() or "")


async def test_all_workspaces_have_no_anchor_in_common(desk: Desk) -> None:
    request = audit_v1.VerifyAuditChainRequest(anchor=audit_v1.AuditAnchor())

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.as_suite.VerifyAuditChain(request)

    assert remote_fault(caught.value).reason == "INVALID_ARGUMENT"
