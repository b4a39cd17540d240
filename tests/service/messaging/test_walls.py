"""The tenant wall (I14): the code's own checks and row security each suffice alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest

from chassis.auth import Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.row_security import workspaces_setting
from inbox.messaging import v1
from services.messaging.model.channel import ChannelKind
from services.messaging.schema import metadata
from suite.databases import DatabaseUrls, with_database
from suite.testing import TestServers
from tests.fakes import FakeClock
from tests.service.messaging.desk import Desk, open_desk
from tests.service.messaging.refusals import refused
from tests.service.messaging.searching import index

TABLES = sorted(table.name for table in metadata.tables.values() if "workspace_id" in table.columns)


@pytest.fixture
async def desk_without_row_security(
    servers: TestServers, urls: DatabaseUrls, clock: FakeClock, workspace_id: WorkspaceId
) -> AsyncIterator[Desk]:
    """The service as a superuser, whom row security does not hold."""
    database = Database(with_database(servers.database_url, urls.name))
    async with open_desk(database, database, clock, workspace_id) as desk:
        yield desk
    await database.close()


async def _fill(desk: Desk) -> tuple[str, v1.Message]:
    await desk.open_conversation(ChannelKind.WEB_CHAT)
    conversation_id = await desk.open_conversation()
    message = await desk.sends(conversation_id)
    await desk.takes_over(conversation_id)
    await desk.as_role(Role.OWNER).UpdateMessagingSettings(
        v1.UpdateMessagingSettingsRequest(default_mode=v1.CONVERSATION_MODE_AI)
    )
    await index(desk.means.worker)
    return conversation_id, message


async def test_row_security_alone_shows_no_row_of_another_workspace(desk: Desk) -> None:
    await _fill(desk)
    counted: dict[str, int] = {}

    for table in TABLES:
        own = [
            await _count(role, table, desk.workspace_id)
            for role in (desk.means.app, desk.means.worker)
        ]
        counted[table] = max(own)
        for other in (WorkspaceId(new_id()), None):
            assert await _count(desk.means.app, table, other) <= 0, table

    filled = {"threads", "messages", "attempts", "receipts", "channels", "resume_timers"}
    filled |= {"message_texts", "message_words", "words", "word_endings"}
    assert {table for table, count in counted.items() if count} >= filled


async def _count(database: Database, table: str, workspace_id: WorkspaceId | None) -> int:
    """The rows that are seen; -1 where the role may not look at the table at all."""
    try:
        async with database.begin(workspace_id) as transaction:
            count: int = await transaction.raw.fetchval(f"SELECT count(*) FROM {table}")
            return count
    except asyncpg.InsufficientPrivilegeError:
        return -1


async def test_row_security_alone_refuses_rows_for_another_workspace(desk: Desk) -> None:
    conversation_id, _ = await _fill(desk)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with desk.means.app.begin(WorkspaceId(new_id())) as transaction:
            await transaction.raw.execute(
                "INSERT INTO web_chat_visitors VALUES ($1, $2, 0, 0, now())",
                desk.workspace_id,
                conversation_id,
            )
    async with desk.means.app.begin(WorkspaceId(new_id())) as transaction:
        done = await transaction.raw.execute("UPDATE threads SET customer_name = 'taken'")
    assert done == "UPDATE 0"


async def test_row_security_alone_keeps_a_commit_of_many_workspaces_within_them(desk: Desk) -> None:
    await _fill(desk)
    one, other = WorkspaceId(new_id()), WorkspaceId(new_id())
    standing_in = "SELECT set_config('inbox.workspace', $1, true)"
    into = (
        "INSERT INTO channels VALUES ($1, $1, 'simulator', 'Shop', 'connected', '', '{}', now(), "
        "now(), 1)"
    )

    async with desk.means.worker.begin() as transaction:
        await transaction.raw.execute(standing_in, workspaces_setting([one, other]))
        await transaction.raw.execute(into, one)
        await transaction.raw.execute(into, other)
        seen = await transaction.raw.fetch("SELECT workspace_id::text FROM channels")
    assert {row["workspace_id"] for row in seen} == {one, other}
    for table in ("channels", "threads", "messages", "attempts", "receipts"):
        for several in ([one, other], []):
            async with desk.means.worker.begin() as transaction:
                await transaction.raw.execute(standing_in, workspaces_setting(several))
                strange = await transaction.raw.fetchval(
                    f"SELECT count(*) FROM {table} WHERE workspace_id = $1", desk.workspace_id
                )
            assert strange == 0, table
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with desk.means.worker.begin() as transaction:
            await transaction.raw.execute(standing_in, workspaces_setting([one, other]))
            await transaction.raw.execute(into, WorkspaceId(new_id()))
    # The app stands in one workspace only.
    with pytest.raises(asyncpg.DataError):
        async with desk.means.app.begin() as transaction:
            await transaction.raw.execute(standing_in, workspaces_setting([one, other]))
            await transaction.raw.execute("SELECT FROM channels")


async def test_evidence_cannot_be_changed_and_only_an_erase_takes_it_away(desk: Desk) -> None:
    await _fill(desk)
    delete, update = "DELETE FROM receipts", "UPDATE receipts SET source = 'webhook'"

    # The worker may delete: it erases threads.
    for role, statement in (
        (desk.means.app, delete),
        (desk.means.app, update),
        (desk.means.worker, update),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with role.begin(desk.workspace_id) as transaction:
                await transaction.raw.execute(statement)


async def test_the_codes_own_checks_alone_keep_workspaces_apart(
    desk_without_row_security: Desk,
) -> None:
    desk = desk_without_row_security
    conversation_id, message = await _fill(desk)
    stranger = desk.elsewhere(Role.OWNER)
    not_found = grpc.StatusCode.NOT_FOUND

    async with refused("CONVERSATION_NOT_FOUND", not_found):
        await stranger.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))
    async with refused("CONVERSATION_NOT_FOUND", not_found):
        await stranger.ListMessages(v1.ListMessagesRequest(conversation_id=conversation_id))
    async with refused("MESSAGE_NOT_FOUND", not_found):
        await stranger.GetMessage(v1.GetMessageRequest(message_id=message.id))
    async with refused("MESSAGE_NOT_FOUND", not_found):
        await stranger.ListReceipts(v1.ListReceiptsRequest(message_id=message.id))
    async with refused("CONVERSATION_NOT_FOUND", not_found):
        await stranger.SetMode(
            v1.SetModeRequest(
                conversation_id=conversation_id,
                mode=v1.CONVERSATION_MODE_AI,
                request_id=new_id(),
            )
        )
    async with refused("CONVERSATION_NOT_FOUND", not_found):
        await stranger.KeepManual(
            v1.KeepManualRequest(conversation_id=conversation_id, is_kept=True, request_id=new_id())
        )
    async with refused("CONVERSATION_NOT_FOUND", not_found):
        await desk.elsewhere(Role.BOT).HandOver(
            v1.HandOverRequest(
                conversation_id=conversation_id,
                request_id=new_id(),
                reason=v1.HANDOVER_REASON_OTHER,
            )
        )
    async with refused("CONVERSATION_NOT_FOUND", not_found):
        await stranger.SendMessage(
            v1.SendMessageRequest(
                conversation_id=conversation_id,
                client_message_id=message.client_message_id,
                text=message.text,
            )
        )
    settings = await stranger.GetMessagingSettings(v1.GetMessagingSettingsRequest())
    assert settings.settings.default_mode == v1.CONVERSATION_MODE_MANUAL
    for query in (message.text, message.text[:-1], message.text[1:]):
        own = await desk.maria.SearchMessages(v1.SearchMessagesRequest(query=query))
        theirs = await stranger.SearchMessages(v1.SearchMessagesRequest(query=query))
        assert (len(own.messages), len(theirs.messages)) == (1, 0)


async def test_the_same_client_id_in_two_workspaces_is_two_messages(
    desk_without_row_security: Desk,
) -> None:
    desk = desk_without_row_security
    other = Desk(WorkspaceId(new_id()), desk.means, desk.server)
    client_message_id = new_id()
    ids = set()

    for one in (desk, other):
        conversation_id = await one.open_conversation()
        response = await one.maria.SendMessage(
            v1.SendMessageRequest(
                conversation_id=conversation_id, client_message_id=client_message_id, text="x"
            )
        )
        assert not response.replayed
        ids.add(response.message.id)

    assert len(ids) == 2
