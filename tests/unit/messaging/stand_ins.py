"""What stands around messaging's servicers where there is no database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from chassis.auth import Caller, current_caller
from chassis.database import Database
from chassis.errors import Fault
from chassis.ids import WorkspaceId, new_id
from services.messaging.actions.attachments import Files
from services.messaging.actions.web_chat import VisitorTokens
from services.messaging.actions.writers import Writers
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.message import MessageId, appended
from services.messaging.service.means import Means
from tests.fakes import FakeClock
from tests.unit.messaging.builders import NOON, a_thread

WORKSPACE = WorkspaceId(new_id())


@dataclass
class StandInWriters:
    """Stores every draft as the first message of its thread, or refuses it."""

    refusal: Fault | None = None
    drafts: list[Draft] = field(default_factory=list)

    def submit(
        self, workspace_id: WorkspaceId, draft: Draft, *, within: timedelta, traceparent: str = ""
    ) -> asyncio.Future[Stored]:
        assert workspace_id == WORKSPACE
        assert within <= timedelta(seconds=10)
        self.drafts.append(draft)
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        if self.refusal is not None:
            future.set_exception(self.refusal)
            return future
        _, message = appended(
            a_thread(),
            message_id=MessageId(new_id()),
            client_message_id=draft.client_message_id,
            author=draft.author,
            text=draft.text,
            at=NOON,
        )
        future.set_result(Stored(message, replayed=False))
        return future


class Admitted:
    """A servicer behind a door that let a caller in, as `chassis.rpc` does."""

    def __init__(self, servicer: Any, caller: Caller) -> None:
        self._servicer = servicer
        self._caller = caller

    def __getattr__(self, method: str) -> Any:
        behaviour = getattr(self._servicer, method)
        if method == "SendMessages":

            async def stream(requests: Any, context: Any) -> Any:
                current_caller.set(self._caller)
                async for response in behaviour(requests, context):
                    yield response

            return stream

        async def handle(request: Any, context: Any) -> Any:
            current_caller.set(self._caller)
            return await behaviour(request, context)

        return handle


def means_of(writers: StandInWriters) -> Means:
    """Without a database: whoever passes the checks of a request would find none."""

    async def verify(token: str) -> Caller:
        raise AssertionError(token)

    return Means(
        app=cast("Database", None),
        worker=cast("Database", None),
        clock=FakeClock(),
        writers=cast("Writers", writers),
        verify=verify,
        visitor_tokens=cast("VisitorTokens", None),
        files=cast("Files", None),
        own_origins=(),
        on_commit=lambda: None,
        on_switch=lambda: None,
    )
