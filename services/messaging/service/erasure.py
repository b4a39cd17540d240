"""ErasureService: erasing what customers said, at the request of who keeps the contacts."""

from __future__ import annotations

from chassis.auth import require_caller
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.messaging import v1
from services.messaging.actions import erasing
from services.messaging.service.means import Means


class ErasureService(v1.ErasureServiceServicer):
    """What nobody shall find any more."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def EraseThread(
        self, request: v1.EraseThreadRequest, context: Context
    ) -> v1.EraseThreadResponse:
        """Erases what was said in a conversation; a repeat says how far that is."""
        erased = await erasing.erase_thread(
            self._means.worker,
            self._means.clock,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            request_id=parse_id("request_id", request.request_id),
            on_commit=self._means.on_commit,
        )
        log = erased.log
        return v1.EraseThreadResponse(
            is_complete=log is not None,
            log_epoch=log.log_epoch if log else "",
            gpos=log.last_gpos if log else 0,
            last_seq=erased.last_seq,
        )
