"""The chain of the audit: whatever is done to it afterwards is found and named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from chassis import audit, audit_chain
from chassis.audit_chain import POLL, Anchor, Break, BreakKind
from chassis.audit_entry import contents_digest
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database
from tests.fakes import settle
from tests.service.chassis.auditing import DELETE, Desk, forge_third, open_desk, write_five
from tests.service.chassis.conftest import SERVICE, migrate_here


@pytest.fixture(scope="module")
def shared_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, SERVICE, migrate_here) as urls:
        yield urls


@pytest.fixture
async def desk(shared_urls: DatabaseUrls, servers: TestServers) -> AsyncIterator[Desk]:
    async with open_desk(shared_urls, servers) as desk:
        yield desk


async def test_after_concurrent_writes_every_chain_is_dense_and_verified(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight writers in two workspaces, and two replicas that link meanwhile, in small batches."""
    monkeypatch.setattr(audit_chain, "MAX_BATCH", 7)
    desks = [desk, desk.elsewhere()]
    is_written = asyncio.Event()

    async def write(one: Desk, writer: int) -> None:
        for number in range(15):
            await one.write(str(number), key=f"{writer}")

    async def link() -> None:
        while not is_written.is_set():
            await desk.chain.link_some()

    async with asyncio.TaskGroup() as linking:
        for _ in range(2):
            linking.create_task(link())
        async with asyncio.TaskGroup() as writing:
            for writer in range(4):
                for one in desks:
                    writing.create_task(write(one, writer))
        is_written.set()
    await desk.link()

    for one in desks:
        assert [row["position"] for row in await one.rows()] == list(range(1, 61))
        verdict = await one.verdict()
        assert (verdict.reached.position, verdict.broken, verdict.is_complete) == (60, None, True)


async def test_entries_get_their_place_within_a_quarter_of_a_second(desk: Desk) -> None:
    assert timedelta(milliseconds=250) >= POLL
    async with asyncio.TaskGroup() as group:
        running = group.create_task(desk.chain.run())
        while not desk.clock.sleeper_count:
            await asyncio.sleep(0.001)
        await desk.write("waits")
        assert [row["position"] for row in await desk.rows()] == [None]

        desk.clock.advance(POLL)
        await settle()
        while not desk.clock.sleeper_count:
            await asyncio.sleep(0.001)
        running.cancel()

    assert [row["position"] for row in await desk.rows()] == [1]


SET = "UPDATE audit_entries SET {} WHERE workspace_id = $1 AND position = 3"
MOVE_END_BACK = """
UPDATE audit_chains SET last_position = 4, last_hash = (
    SELECT hash FROM audit_entries WHERE workspace_id = $1 AND position = 4)
WHERE workspace_id = $1
"""
FORGET_END = "UPDATE audit_chains SET last_hash = '' WHERE workspace_id = $1"
ADD = """
INSERT INTO audit_entries SELECT workspace_id, gen_random_uuid(), create_time, actor_kind, actor_id,
    actor_name, command, entity_kind, entity_id, traceparent, before, after, salt, contents_digest,
    erase_time, digest, 6, hash
FROM audit_entries WHERE workspace_id = $1 AND position = 5
"""
SWAP = """
UPDATE audit_entries SET position = 7 - position WHERE workspace_id = $1 AND position IN (3, 4)
"""


@pytest.mark.parametrize(
    ("statement", "kind", "position"),
    [
        (SET.format('after = \'{"body": "forged"}\''), BreakKind.CONTENTS_CHANGED, 3),
        (SET.format("before = '{}'"), BreakKind.CONTENTS_CHANGED, 3),
        (SET.format("after = NULL"), BreakKind.CONTENTS_CHANGED, 3),
        (SET.format("salt = '\\x00'"), BreakKind.CONTENTS_CHANGED, 3),
        (SET.format("actor_id = 'omar'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("actor_name = 'Omar'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("actor_kind = 'system'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("command = 'NotesService/Read'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("entity_kind = 'letter'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("entity_id = 'note-1'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("traceparent = '00'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("create_time = create_time + '1 us'"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("id = gen_random_uuid()"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("digest = sha256('x')"), BreakKind.ENTRY_CHANGED, 3),
        (SET.format("hash = sha256('x')"), BreakKind.HASH_CHANGED, 3),
        (DELETE.format(3) + " AND position < 4", BreakKind.ENTRY_MISSING, 3),
        (DELETE.format(5), BreakKind.ENTRY_MISSING, 5),
        (DELETE.format(1), BreakKind.ENTRY_MISSING, 1),
        (ADD, BreakKind.ENTRY_ADDED, 6),
        ("DELETE FROM audit_chains WHERE workspace_id = $1", BreakKind.ENTRY_ADDED, 1),
        (MOVE_END_BACK, BreakKind.ENTRY_ADDED, 5),
        (FORGET_END, BreakKind.HASH_CHANGED, 5),
    ],
)
async def test_what_a_superuser_does_to_an_entry_is_found_and_named(
    desk: Desk, statement: str, kind: BreakKind, position: int
) -> None:
    await write_five(desk)
    assert (await desk.verdict()).broken is None

    await desk.tamper(statement)

    verdict = await desk.verdict()
    ids = {row["position"]: str(row["id"]) for row in await desk.rows()}
    named = "" if kind is BreakKind.ENTRY_MISSING else ids[position]
    assert verdict.broken == Break(kind, position, named)
    assert verdict.reached.position == position - 1


async def test_two_entries_that_changed_places_are_found(desk: Desk) -> None:
    await write_five(desk)
    place = "UPDATE audit_entries SET position = {} WHERE workspace_id = $1 AND position = {}"

    await desk.tamper(place.format(100, 3), place.format(3, 4), place.format(4, 100))

    broken = (await desk.verdict()).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.HASH_CHANGED, 3)


@pytest.mark.parametrize(
    "statement", [MOVE_END_BACK, "DELETE FROM audit_chains WHERE workspace_id = $1"]
)
async def test_a_broken_chain_keeps_no_other_workspace_waiting(desk: Desk, statement: str) -> None:
    await write_five(desk)
    await desk.tamper(statement)
    neighbour = desk.elsewhere()

    await desk.write("more")
    await neighbour.write("theirs")
    await desk.link()

    assert (await neighbour.verdict()).reached.position == 1
    assert [row["position"] for row in await desk.rows()] == [1, 2, 3, 4, 5, 6]


async def test_an_entry_that_was_taken_away_stays_missing_when_others_follow(desk: Desk) -> None:
    await write_five(desk)
    await desk.tamper(DELETE.format(5))

    await desk.write("more")
    await desk.link()

    assert (await desk.verdict()).broken == Break(BreakKind.ENTRY_MISSING, 5)


async def test_a_chain_computed_anew_is_told_by_an_end_that_was_kept_outside(desk: Desk) -> None:
    await write_five(desk)
    kept = (await desk.verdict()).reached
    await desk.write("after it was kept")
    await desk.link()
    assert (await desk.verdict(anchor=kept)).broken is None

    await forge_third(desk)

    assert (await desk.verdict()).broken is None, "it fits together; that is why an end is kept"
    broken = (await desk.verdict(anchor=kept)).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.ANCHOR_MISSED, 5)


async def test_a_tail_cut_off_with_its_end_is_told_by_an_end_that_was_kept(desk: Desk) -> None:
    await write_five(desk)
    kept = (await desk.verdict()).reached

    await desk.tamper(MOVE_END_BACK, DELETE.format(5))

    assert (await desk.verdict()).broken is None
    assert (await desk.verdict(anchor=kept)).broken == Break(BreakKind.ENTRY_MISSING, 5)


async def test_an_erase_takes_the_words_and_leaves_the_chain_whole(desk: Desk) -> None:
    await write_five(desk)

    async with desk.worker.begin(desk.workspace_id) as transaction:
        count = await audit.erase(transaction, "note", ["note-3"], at=desk.clock.now())

    assert count == 1
    (erased,) = await desk.entries(entity_id="note-3")
    assert erased.HasField("erase_time")
    assert not erased.HasField("before")
    assert not erased.HasField("after")
    assert erased.actor.display_name == "María"
    assert "body 3" not in str([tuple(row) for row in await desk.rows()])
    verdict = await desk.verdict()
    assert (verdict.reached.position, verdict.broken) == (5, None)


async def test_what_was_erased_cannot_be_guessed_at_by_its_digest(desk: Desk) -> None:
    """The salt went with the words: who knows all but them cannot find out which they were."""
    await desk.write("yes", key="one")
    await desk.write("yes", key="one-more")
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await audit.erase(transaction, "note", ["one", "one-more"], at=desk.clock.now())

    rows = await desk.rows()

    assert [row["salt"] for row in rows] == [None, None]
    for row in rows:
        guess = audit._json({"body": "yes", "key": row["entity_id"]})
        assert contents_digest(None, guess, None) != row["contents_digest"]


async def test_an_erased_entry_still_proves_who_did_it(desk: Desk) -> None:
    await write_five(desk)
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await audit.erase(transaction, "note", ["note-3"], at=desk.clock.now())

    await desk.tamper(SET.format("actor_id = 'omar'"))

    broken = (await desk.verdict()).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.ENTRY_CHANGED, 3)


async def test_a_walk_sees_one_moment_while_entries_are_linked(desk: Desk) -> None:
    """Between its look at the end and its look at the entries nothing is added for it."""
    is_done = asyncio.Event()

    async def write_and_link() -> None:
        for number in range(12):
            await desk.write(str(number))
            await desk.link()
        is_done.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(write_and_link())
        while not is_done.is_set():
            assert (await desk.verdict()).broken is None

    assert (await desk.verdict()).reached.position == 12


async def test_where_a_walk_goes_on_is_checked_too(desk: Desk) -> None:
    await write_five(desk)

    verdict = await desk.verdict(start=Anchor(3, bytes(32)))

    assert verdict.broken is not None
    assert (verdict.broken.kind, verdict.broken.position) == (BreakKind.HASH_CHANGED, 4)
