"""The files of a request to send."""

from __future__ import annotations

from chassis.auth import Caller
from inbox.messaging import v1
from services.messaging.actions.attachments import look_up
from services.messaging.mapping.attachments import wanted_from
from services.messaging.model.attachment import Attachment
from services.messaging.service.means import Means


async def attachments_of(
    means: Means, caller: Caller, request: v1.SendMessageRequest
) -> tuple[Attachment, ...]:
    """What media says of them; without files nobody is asked.

    Raises: FieldInvalid, MediaNotFound, TemporarilyUnavailable.
    """
    if not request.attachments:
        return ()
    return await look_up(means.files, caller.workspace, wanted_from(request.attachments))
