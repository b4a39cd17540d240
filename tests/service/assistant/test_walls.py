"""No row of the AI crosses workspaces: the code's check and row security each suffice (I14)."""

from __future__ import annotations

import asyncpg
import pytest

from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId, new_id
from services.assistant.model.articles import Search
from services.assistant.model.turns import CollectedField
from services.assistant.service.assistant import BEFORE_ALL
from services.assistant.store import articles, duties, settings, turns
from suite.databases import DatabaseUrls, with_database
from suite.testing import TestServers
from tests.fakes import START
from tests.service.assistant.desk import Desk
from tests.service.assistant.messaging_double import Thread
from tests.serving import new_workspace_id

TENANT_TABLES = (
    "articles", "passages", "assistant_settings", "workspace_keys", "turns", "collected_fields",
)  # fmt: skip


@pytest.fixture
async def ana(desk: Desk) -> Thread:
    """A customer of a workspace that has something in every table."""
    await desk.writes_article("Hours", "Opening at nine.")
    await desk.chooses(instructions="Be kind.", api_key="sk-secret")
    customer = desk.customer()
    customer.writes("opening hours?")
    await desk.answer_all(customer)
    async with desk.worker.database.begin(desk.workspace_id) as transaction:
        field = CollectedField("order", "A-17")
        await turns.save_field(transaction, customer.conversation_id, field, at=START, at_most=5)
    return customer


async def found_by(transaction: Transaction, pretended: WorkspaceId, ana: Thread) -> list[object]:
    """Whatever any read of the stores finds, for code that asks for a workspace."""
    transaction.workspace_id = pretended
    listed = await articles.in_id_order(transaction, "00000000-0000-0000-0000-000000000000", size=9)
    stored = await settings.read(transaction)
    return [
        *listed,
        *[article for one in listed if (article := await articles.read(transaction, one.id))],
        *await articles.search(transaction, Search("opening", 5)),
        *([stored] if stored.settings.version else []),
        *filter(None, [await settings.read_key(transaction)]),
        *(await duties.lock(transaction, [ana.conversation_id])).values(),
        *await turns.page(transaction, BEFORE_ALL, conversation_id="", size=9),
        *await turns.read_fields(transaction, ana.conversation_id, at_most=9),
    ]


async def test_row_security_holds_with_the_codes_check_off(
    desk: Desk, ana: Thread, urls: DatabaseUrls
) -> None:
    app = Database(urls.app)
    for seen in (new_workspace_id(), None):
        async with app.begin(seen) as transaction:
            # The code asks for the workspace that it must not see.
            assert await found_by(transaction, desk.workspace_id, ana) == []
    async with app.begin(desk.workspace_id) as transaction:
        assert len(await found_by(transaction, desk.workspace_id, ana)) == 8
    await app.close()


async def test_the_codes_check_holds_with_row_security_off(
    desk: Desk, ana: Thread, servers: TestServers, urls: DatabaseUrls
) -> None:
    superuser = Database(with_database(servers.database_url, urls.name))
    async with superuser.begin() as transaction:
        assert await found_by(transaction, new_workspace_id(), ana) == []
        assert len(await found_by(transaction, desk.workspace_id, ana)) == 8
    await superuser.close()


@pytest.mark.parametrize("role", ["app", "worker"])
@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_neither_role_sees_a_tenants_rows_without_being_told_the_workspace(
    desk: Desk, ana: Thread, urls: DatabaseUrls, role: str, table: str
) -> None:
    database = Database(getattr(urls, role))
    for workspace_id in (None, new_workspace_id(), desk.workspace_id):
        async with database.begin(workspace_id) as transaction:
            count = await transaction.raw.fetchval(f"SELECT count(*) FROM {table}")
        assert bool(count) is (workspace_id == desk.workspace_id)
    await database.close()


async def test_nobody_writes_into_another_workspace(
    desk: Desk, ana: Thread, urls: DatabaseUrls
) -> None:
    app = Database(urls.app)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with app.begin(new_workspace_id()) as transaction:
            await transaction.raw.execute(
                "INSERT INTO articles VALUES ($1, $2, 'x', '', 'english', now(), now(), 1, false)",
                desk.workspace_id,
                new_id(),
            )
    async with app.begin(new_workspace_id()) as transaction:
        touched = await transaction.raw.execute("UPDATE duties SET is_silenced = true")
    assert touched == "UPDATE 0"
    await app.close()
