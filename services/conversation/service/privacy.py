"""PrivacyService: exporting and erasing a contact."""

from __future__ import annotations

from uuid import UUID

from chassis import paging, requests
from chassis.auth import require_caller
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.conversation import v1 as conversation_v1
from services.conversation.actions import erasing, exporting
from services.conversation.actions.exporting import History, Place
from services.conversation.actions.means import Means
from services.conversation.mapping import erasure_to
from services.conversation.mapping.contacts import record_to

MAX_SEQ = 2**62


class PrivacyService(conversation_v1.PrivacyServiceServicer):
    """What a customer may ask for."""

    def __init__(self, means: Means, history: History) -> None:
        self._means = means
        self._history = history

    async def ExportContact(
        self, request: conversation_v1.ExportContactRequest, context: Context
    ) -> conversation_v1.ExportContactResponse:
        """Exports everything that is kept of a contact."""
        contact_id = parse_id("contact_id", request.contact_id)
        query = ("ExportContact", contact_id)
        position = paging.position_in(request.page_token, query, (_id_in_token, _seq_in_token))
        page = await exporting.export_contact(
            self._means,
            self._history,
            require_caller(),
            contact_id,
            after=Place(*position) if position else None,
            page_size=requests.page_size(request.page_size),
        )
        place = page.next_place
        token = paging.next_token(query, (place.conversation_id, place.seq)) if place else ""
        return conversation_v1.ExportContactResponse(
            records=map(record_to, page.records), next_page_token=token
        )

    async def EraseContact(
        self, request: conversation_v1.EraseContactRequest, context: Context
    ) -> conversation_v1.EraseContactResponse:
        """Erases a contact; the answer is how far that has come."""
        erasure = await erasing.erase_contact(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            request_id=parse_id("request_id", request.request_id),
        )
        return conversation_v1.EraseContactResponse(erasure=erasure_to(erasure))

    async def GetErasure(
        self, request: conversation_v1.GetErasureRequest, context: Context
    ) -> conversation_v1.GetErasureResponse:
        """Gets how far an erasure has come."""
        erasure = await erasing.get_erasure(
            self._means, require_caller(), parse_id("erasure_id", request.erasure_id)
        )
        return conversation_v1.GetErasureResponse(erasure=erasure_to(erasure))


def _id_in_token(part: str) -> str:
    return str(UUID(part)) if part else ""


def _seq_in_token(part: int) -> int:
    if not 0 <= part < MAX_SEQ:
        raise ValueError("not a seq")
    return part
