"""Who changed what: written with the change, read by the owner, rewritten by nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import asyncpg
import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import audit, audit_log, tracing
from chassis.audit import SYSTEM, Actor, ActorKind, Change, actor_of
from chassis.auth import Caller, Role
from chassis.ids import WorkspaceId, new_id
from chassis.rpc import remote_fault
from inbox.audit import v1 as audit_v1
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database
from tests.service.chassis.auditing import MARIA, Desk, open_desk
from tests.service.chassis.conftest import SERVICE, migrate_here

WORKSPACE = WorkspaceId(new_id())


@pytest.fixture(scope="module")
def shared_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, SERVICE, migrate_here) as urls:
        yield urls


@pytest.fixture
async def desk(shared_urls: DatabaseUrls, servers: TestServers) -> AsyncIterator[Desk]:
    async with open_desk(shared_urls, servers) as desk:
        yield desk


async def test_an_entry_tells_who_changed_what_and_how_it_was_before(desk: Desk) -> None:
    trace = tracing.enter(None)
    await desk.write("first")
    await desk.write("second")

    second, first = await desk.entries()

    assert first.command == second.command == "NotesService/Write"
    assert second.actor == audit_v1.Actor(
        kind=audit_v1.ACTOR_KIND_MEMBER, id="maria", display_name="María"
    )
    assert (second.entity_kind, second.entity_id) == ("note", "note")
    assert not first.HasField("before")
    assert json_format.MessageToDict(first.after) == {"key": "note", "body": "first"}
    assert json_format.MessageToDict(second.before) == {"body": "first"}
    assert json_format.MessageToDict(second.after) == {"body": "second"}
    assert second.traceparent == trace.header()
    assert second.create_time.ToDatetime() == desk.clock.now().replace(tzinfo=None)


async def test_an_entry_is_there_exactly_when_its_change_is(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError):
        async with desk.app.begin(desk.workspace_id) as transaction:
            await desk.write_in(transaction, "never")
            raise ZeroDivisionError

    assert await desk.entries() == []
    await desk.write("once")
    assert len(await desk.entries()) == 1


async def test_a_command_that_changed_nothing_leaves_no_entry(desk: Desk) -> None:
    await desk.write("the same")
    await desk.write("the same")

    assert len(await desk.entries()) == 1


def test_a_change_holds_only_the_fields_that_differ() -> None:
    change = Change.of("note", "1", {"a": 1, "b": None, "gone": 3}, {"a": 1, "b": 2, "new": None})

    assert change.before == {"b": None, "gone": 3}
    assert change.after == {"b": 2, "new": None}
    assert Change.of("note", "1", {"a": 1}, {"a": 1}).is_empty


@pytest.mark.parametrize(
    ("caller", "kind"),
    [
        (Caller("maria", Role.AGENT, WORKSPACE, credential_id="session"), ActorKind.MEMBER),
        (Caller("key", Role.OWNER, WORKSPACE, credential_id="key"), ActorKind.API_KEY),
        (Caller("key", Role.SERVICE, WORKSPACE, credential_id="key"), ActorKind.API_KEY),
        (Caller("gateway", Role.SERVICE, WORKSPACE), ActorKind.SERVICE),
    ],
)
def test_a_person_a_key_and_a_process_are_told_apart(caller: Caller, kind: ActorKind) -> None:
    assert actor_of(caller).kind is kind


async def test_entries_are_found_by_entity_by_actor_and_by_time(desk: Desk) -> None:
    await desk.write("a", key="one")
    desk.clock.advance(timedelta(hours=1))
    later = Timestamp()
    later.FromDatetime(desk.clock.now())
    await desk.write("b", key="two")
    await desk.write("c", key="two", actor=SYSTEM)
    omar = Actor(ActorKind.API_KEY, "omar")
    await desk.write("d", key="one", actor=omar)

    async def found(**filters: object) -> list[str]:
        return [one.after["body"] for one in await desk.entries(**filters)]  # type: ignore[misc]

    assert await found() == ["d", "c", "b", "a"]
    assert await found(entity_id="one") == ["d", "a"]
    assert await found(actor_id="maria") == ["b", "a"]
    assert await found(since_time=later) == ["d", "c", "b"]
    assert await found(entity_id="one", actor_id="maria", since_time=later) == []


async def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    for number in range(7):
        await desk.write(str(number), key=str(number))
    seen, token = [], ""

    for _ in range(4):
        page = await desk.as_owner.ListAuditEntries(
            audit_v1.ListAuditEntriesRequest(page_size=2, page_token=token)
        )
        seen += [entry.entity_id for entry in page.audit_entries]
        token = page.next_page_token

    assert (seen, token) == (["6", "5", "4", "3", "2", "1", "0"], "")


async def test_a_page_of_large_entries_is_cut_where_a_message_ends(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "MAX_ANSWER_BYTES", 1500)
    for number in range(3):
        await desk.write("x" * 1000, key=str(number))

    page = await desk.as_owner.ListAuditEntries(audit_v1.ListAuditEntriesRequest())

    assert [entry.entity_id for entry in page.audit_entries] == ["2"]
    assert page.next_page_token


@pytest.mark.parametrize("role", [Role.AGENT, Role.READ_ONLY, Role.BOT, Role.VISITOR])
async def test_only_the_owner_and_the_suite_may_read_it(desk: Desk, role: Role) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.as_role(role).ListAuditEntries(audit_v1.ListAuditEntriesRequest())

    assert remote_fault(caught.value).reason == "ROLE_NOT_ALLOWED"


async def test_row_security_alone_hides_another_workspaces_entries(desk: Desk) -> None:
    await desk.write("ours")
    await desk.link()

    for table in ("audit_entries", "audit_chains"):
        for other in (WorkspaceId(new_id()), None):
            async with desk.app.begin(other) as transaction:
                count = await transaction.raw.fetchval(f"SELECT count(*) FROM {table}")
                assert count == 0, table
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with desk.app.begin(desk.elsewhere().workspace_id) as transaction:
            transaction.workspace_id = desk.workspace_id
            change = Change.of("note", "forged", None, {"body": "forged"})
            await audit.append(
                transaction, MARIA, "NotesService/Write", [change], at=desk.clock.now()
            )


async def test_the_codes_own_check_alone_hides_another_workspaces_entries(
    desk: Desk, shared_urls: DatabaseUrls, servers: TestServers
) -> None:
    await desk.write("ours")
    await desk.link()

    async with open_desk(shared_urls, servers, has_row_security=False) as unwalled:
        listed = await unwalled.entries()
        verified = await unwalled.as_owner.VerifyAuditChain(audit_v1.VerifyAuditChainRequest())
        async with unwalled.worker.begin(unwalled.workspace_id) as transaction:
            erased = await audit.erase(transaction, "note", ["note"], at=desk.clock.now())

    assert listed == []
    assert (verified.verified_count, verified.anchor.position) == (0, 0)
    assert erased == 0


async def test_requests_cannot_change_or_take_away_what_is_written(desk: Desk) -> None:
    await desk.write("written")
    await desk.link()

    for statement in (
        "UPDATE audit_entries SET after = '{}'",
        "UPDATE audit_entries SET position = 2",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "UPDATE audit_chains SET last_position = 0",
        "DELETE FROM audit_chains",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with desk.app.begin(desk.workspace_id) as transaction:
                await transaction.raw.execute(statement)


async def test_background_work_cannot_change_who_did_what_or_take_it_away(desk: Desk) -> None:
    await desk.write("written")

    for statement in (
        "UPDATE audit_entries SET actor_name = 'Nobody'",
        "UPDATE audit_entries SET command = 'NotesService/Read'",
        "UPDATE audit_entries SET digest = hash",
        "UPDATE audit_entries SET create_time = now()",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM audit_chains",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with desk.worker.begin(desk.workspace_id) as transaction:
                await transaction.raw.execute(statement)
