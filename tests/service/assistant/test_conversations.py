"""What is known of conversations: the audit of turns, silence in Spam, forgetting."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from chassis.database import Database
from chassis.ids import new_id
from inbox.assistant import v1
from services.assistant.actions.conversations import take_in_folders, take_in_news
from services.assistant.model.turns import FolderNews, Outcome
from tests.service.assistant.desk import Desk, saying
from tests.service.assistant.owner import Owner


async def test_the_audit_lists_turns_newest_first_and_by_conversation(
    desk: Desk, owner: Owner
) -> None:
    desk.providers = saying("hello")
    ana, bob = desk.customer(), desk.customer()
    for customer in (ana, bob, ana):
        customer.writes("how much is it")
        await desk.answer_all(customer)

    everything = await owner.assistant.ListTurns(v1.ListTurnsRequest(page_size=2))
    rest = await owner.assistant.ListTurns(
        v1.ListTurnsRequest(page_size=2, page_token=everything.next_page_token)
    )
    of_bob = await owner.assistant.ListTurns(
        v1.ListTurnsRequest(conversation_id=bob.conversation_id)
    )

    listed = [*everything.turns, *rest.turns]
    assert [turn.conversation_id for turn in listed] == [
        ana.conversation_id,
        bob.conversation_id,
        ana.conversation_id,
    ]
    assert [turn.number for turn in listed] == [2, 1, 1]
    assert list(of_bob.turns) == [listed[1]]
    ended = [event.turn for event in await desk.published() if isinstance(event, v1.TurnEnded)]
    assert ended == listed[::-1]


async def test_what_lies_in_spam_is_not_answered_and_what_comes_after_it_is(desk: Desk) -> None:
    provider = desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("win a prize")
    await desk.hear(ana)

    await desk.moves(ana, is_silenced=True)
    ana.writes("win two prizes")
    await desk.answer_all(ana)
    assert ana.sent == []
    await desk.moves(ana, is_silenced=False)
    ana.writes("I am a person")
    await desk.answer_all(ana)

    assert [one.text for one in ana.sent] == ["hello"]
    assert provider.asked[0].text == "I am a person"


async def test_a_conversation_may_lie_in_spam_before_messaging_told_of_it(desk: Desk) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()

    await desk.moves(ana, is_silenced=True)
    ana.writes("win a prize")
    await desk.answer_all(ana)
    await desk.moves(ana, is_silenced=False)
    ana.writes("I am a person")
    await desk.answer_all(ana)

    assert [one.text for one in ana.sent] == ["hello"]


async def test_what_was_written_in_spam_is_not_answered_though_it_is_heard_of_later(
    desk: Desk,
) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("win a prize")
    await desk.hear(ana)
    await desk.moves(ana, is_silenced=True, inbound_count=1)

    ana.writes("win two prizes")
    await desk.moves(ana, is_silenced=False, inbound_count=2)
    await desk.answer_all(ana)

    assert ana.sent == []


@pytest.mark.parametrize("first", ["messaging", "conversation"])
async def test_spam_that_both_neighbours_tell_of_at_once_is_silenced(
    desk: Desk, first: str
) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("win a prize")
    news, ana.news = list(ana.news), []
    folders = [FolderNews(ana.conversation_id, True, desk.clock.now())]
    applied = [partial(take_in_news, news=news), partial(take_in_folders, news=folders)]
    one, other = applied if first == "messaging" else applied[::-1]
    database = desk.worker.database

    async def apply_other() -> None:
        async with database.begin(desk.workspace_id) as transaction:
            await other(transaction)

    async with asyncio.TaskGroup() as group, database.begin(desk.workspace_id) as transaction:
        await one(transaction)
        group.create_task(apply_other())
        await _somebody_waits(database)
    await desk.answer_all(ana)

    assert ana.sent == []


async def _somebody_waits(database: Database) -> None:
    """Until another transaction waits for one that is under way."""
    async with asyncio.timeout(10):
        while True:
            async with database.begin() as transaction:
                if await transaction.raw.fetchval("SELECT true FROM pg_locks WHERE NOT granted"):
                    return
            await asyncio.sleep(0.01)


async def test_a_move_to_spam_ends_what_is_being_written(desk: Desk) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("spam")
    await desk.hear(ana)
    desk.clock.advance(timedelta(seconds=2))

    async def hook(step: str) -> None:
        if step == "written":
            await desk.moves(ana, is_silenced=True)

    await desk.a_worker(hook=hook).run_once()

    assert ana.sent == []
    assert [turn.outcome for turn in await desk.turns()] == [Outcome.SILENCED]


async def test_forgetting_leaves_nothing_that_was_said(
    desk: Desk, suite: v1.AssistantServiceStub
) -> None:
    canary = "canary-7431"
    ana = desk.customer()
    ana.writes(f"I want to talk to a person about {canary}")
    await desk.hear(ana)
    await _plant(desk, ana.conversation_id, canary)
    assert await _found(desk, canary) == {"collected_fields", "turns", "parked_events"}

    for _ in range(2):
        await suite.ForgetConversations(
            v1.ForgetConversationsRequest(
                conversation_ids=[ana.conversation_id, new_id()], request_id=new_id()
            )
        )

    assert await _found(desk, canary) == set()
    desk.clock.advance(timedelta(minutes=1))
    assert await desk.work() == 0


async def _plant(desk: Desk, conversation_id: str, canary: str) -> None:
    """Everywhere where the AI keeps words of customers."""
    async with desk.worker.database.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO collected_fields VALUES ($1, $2, 'order', $3, 1, now())",
            desk.workspace_id, conversation_id, canary,
        )  # fmt: skip
        await transaction.raw.execute(
            "INSERT INTO turns (workspace_id, id, conversation_id, number, seen_ordinal, "
            "mode_epoch, provider, model, prompt_version, input_tokens, output_tokens, "
            "provider_millis, tool_calls, article_ids, decision, start_time) VALUES ($1, $3, $2, "
            "1, 1, 1, 'offline', '', '', 0, 0, 0, '[]', '{}', "
            "jsonb_build_object('text', $4::text), now())",
            desk.workspace_id, conversation_id, new_id(), canary,
        )  # fmt: skip
        await transaction.raw.execute(
            "INSERT INTO parked_events (consumer, gpos, stream, log_epoch, event_id, workspace_id, "
            "subject, ordering_key, payload, create_time, state, park_time) VALUES ('c', "
            "hashtext($2), 's', 'e', $3, $1, 'x', $2, $4, now(), 'dead', now())",
            desk.workspace_id, conversation_id, new_id(), canary.encode(),
        )  # fmt: skip


async def _found(desk: Desk, canary: str) -> set[str]:
    """The tables that have it, whatever the column."""
    found: set[str] = set()
    async with desk.worker.database.begin(desk.workspace_id) as transaction:
        tables = await transaction.raw.fetch(
            "SELECT table_name FROM information_schema.role_table_grants "
            "WHERE privilege_type = 'SELECT' AND grantee = current_user"
        )
        for table in tables:
            name = table["table_name"]
            hits = await transaction.raw.fetchval(
                f"SELECT count(*) FROM {name} AS row WHERE row::text LIKE $1 OR row::text LIKE $2",
                f"%{canary}%",
                f"%{canary.encode().hex()}%",
            )
            if hits:
                found.add(name)
    return found
