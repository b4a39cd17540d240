"""What takes things away for good; done last."""

from __future__ import annotations

from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from tests.serving import bearer
from tests.system.deeds.stage import SERVICE, Deed, Stage
from tests.system.services import within


async def erase_thread(stage: Stage) -> None:
    """Of another customer."""
    opened = await stage.to.chat.OpenSession(
        messaging_v1.OpenSessionRequest(channel_id=stage.tenant.channel_id)
    )
    await stage.to.chat.PostMessage(
        messaging_v1.PostMessageRequest(client_message_id=new_id(), text="hello"),
        metadata=bearer(opened.access_token),
    )
    await stage.to.erasure.EraseThread(
        messaging_v1.EraseThreadRequest(
            conversation_id=opened.conversation_id, request_id=new_id()
        ),
        metadata=within(stage.tenant.workspace_id),
    )


async def erase_contact(stage: Stage) -> None:
    await stage.to.privacy.EraseContact(
        conversation_v1.EraseContactRequest(
            contact_id=stage.tenant.contact_id, request_id=new_id()
        ),
        metadata=stage.owner,
    )


DEEDS: dict[str, Deed] = {
    "ErasureService/EraseThread": Deed(erase_thread, by=SERVICE),
    "PrivacyService/EraseContact": Deed(erase_contact),
}
"""In an order in which they can be done."""
