"""The adapter for the make-believe platform of suite/simulator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from services.messaging.channels.calls import Answer, PlatformCalls, is_success
from services.messaging.channels.port import (
    Connection,
    EchoedText,
    FoundSend,
    InboundText,
    OutboundMessage,
    StatusReport,
    TokenCheck,
    UnknownItem,
    Uploaded,
    WebhookItem,
)
from services.messaging.channels.signatures import is_signed
from services.messaging.channels.simulator_specials import clean, read_special
from services.messaging.model.attachment import Attachment
from services.messaging.model.channel import SimulatorSettings
from services.messaging.model.connect import Credentials
from services.messaging.model.delivery import DeliveryStatus, Failure, FailureReason
from services.messaging.model.dispatch import (
    Accepted,
    Ambiguous,
    RateLimited,
    Rejected,
    SendOutcome,
    TokenRefused,
)
from services.messaging.model.special import in_words

SIGNATURE_HEADER = "x-simulator-signature-256"
PHONE_APP = "phone"
"""What an echo names as its app when a person wrote it on the business's own phone."""
MAX_ID_LENGTH = 256
UPLOAD_KEPT_FOR = timedelta(days=30)
MAX_NAME_LENGTH = 80

STATUSES = {
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "failed": DeliveryStatus.REPORTED_FAILED,
}
LOOKUP_STATUSES = STATUSES | {"accepted": DeliveryStatus.SENT}
REASONS = {
    "recipient_unavailable": (FailureReason.RECIPIENT_UNAVAILABLE, False),
    "content_rejected": (FailureReason.CONTENT_REJECTED, False),
    "window_closed": (FailureReason.WINDOW_CLOSED, False),
    "account_blocked": (FailureReason.ACCOUNT_BLOCKED, True),
}
"""The platform's code → our reason, and whether a Retry makes sense."""


class SimulatorChannel:
    """Speaks the platform double's API."""

    has_lookup = True

    def __init__(self, calls: PlatformCalls) -> None:
        self._calls = calls

    async def send(
        self, connection: Connection, message: OutboundMessage, *, within: timedelta
    ) -> SendOutcome:
        """Hand a message over; see `outcome_of` for what its answers mean."""
        headers = {
            **_authorisation(connection),
            "Content-Type": "application/json",
            "Idempotency-Key": message.channel_key,
        }
        body = {
            "to": message.recipient,
            **_said(message),
            "callback_data": message.callback_data,
        }
        answer = await self._calls.call(
            "POST",
            f"{_account_url(connection)}/messages",
            within=within,
            headers=headers,
            body=json.dumps(body).encode(),
        )
        return outcome_of(answer) if isinstance(answer, Answer) else answer

    async def upload(
        self,
        connection: Connection,
        attachment: Attachment,
        parts: AsyncIterator[bytes],
        *,
        within: timedelta,
    ) -> Uploaded | SendOutcome:
        """Stream a file to the platform, which gives it an id."""
        answer = await self._calls.call(
            "POST",
            f"{_account_url(connection)}/media",
            within=within,
            headers={
                **_authorisation(connection),
                "Content-Type": attachment.content_type,
                "Content-Length": str(attachment.size_bytes),
            },
            body=parts,
        )
        if not isinstance(answer, Answer):
            return answer
        media_id = _text(answer.json(), "media_id")
        if is_success(answer.status) and media_id:
            return Uploaded(media_id, UPLOAD_KEPT_FOR)
        return outcome_of(answer)

    async def find(
        self, connection: Connection, callback_data: str, *, within: timedelta
    ) -> FoundSend | None:
        """Ask by our own mark; an account may not offer that."""
        url = f"{_account_url(connection)}/messages?callback_data={quote(callback_data, safe='')}"
        answer = await self._calls.call(
            "GET", url, within=within, headers=_authorisation(connection)
        )
        if not isinstance(answer, Answer) or answer.status != HTTPStatus.OK:
            return None
        found = answer.json().get("messages")
        for entry in found if isinstance(found, list) else []:
            if isinstance(entry, dict) and entry.get("status") in LOOKUP_STATUSES:
                status = LOOKUP_STATUSES[entry["status"]]
                return FoundSend(_text(entry, "message_id"), status, _failure(entry, status))
        return None

    async def check(self, connection: Connection, *, within: timedelta) -> TokenCheck:
        """Ask for the account itself."""
        answer = await self._calls.call(
            "GET", _account_url(connection), within=within, headers=_authorisation(connection)
        )
        if not isinstance(answer, Answer):
            return TokenCheck(is_working=False, detail=answer.code or "UNREACHABLE")
        if answer.status == HTTPStatus.OK:
            return TokenCheck(is_working=True)
        return TokenCheck(
            is_working=False,
            is_refused=answer.status == HTTPStatus.UNAUTHORIZED,
            detail=_code(answer),
        )

    def is_genuine(self, credentials: Credentials, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether one of our secrets signed the raw body."""
        return is_signed(credentials, headers.get(SIGNATURE_HEADER, ""), body)

    def read(self, body: bytes) -> list[tuple[WebhookItem, bytes]]:
        """The events of a call, each by itself."""
        try:
            events = json.loads(body)["events"]
        except (ValueError, KeyError, TypeError, RecursionError):
            events = None
        if not isinstance(events, list):
            return [(UnknownItem(_digest(body), "", "the body has no list of events"), body)]
        return [_read_event(event) for event in events]

    def read_item(self, raw: bytes) -> WebhookItem:
        """One event, from its raw form."""
        try:
            return _read_event(json.loads(raw))[0]
        except (ValueError, RecursionError):
            return UnknownItem(_digest(raw), "", "the event is not JSON")


def outcome_of(answer: Answer) -> SendOutcome:
    """What an answer to a send means. Whatever is not clearly a no may have been a yes."""
    code = _code(answer)
    if is_success(answer.status):
        message_id = _text(answer.json(), "message_id")
        return Accepted(message_id) if message_id else Ambiguous("ANSWER_UNREADABLE")
    match answer.status:
        case HTTPStatus.UNAUTHORIZED:
            return TokenRefused(code)
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return RateLimited(answer.retry_after, code)
        case HTTPStatus.REQUEST_TIMEOUT:
            return Ambiguous(code)
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Rejected(_failure_of(code))
    return Ambiguous(code)


def _said(message: OutboundMessage) -> dict[str, Any]:
    """A text, or a file by the id it was uploaded under, with its caption."""
    attachment = message.attachment
    if attachment is None:
        return {"text": {"body": message.text}}
    file = {"id": message.platform_media_id, "file_name": attachment.file_name}
    if message.text:
        file["caption"] = message.text
    return {attachment.kind.value: file}


def _read_event(event: object) -> tuple[WebhookItem, bytes]:
    raw = json.dumps(event).encode()
    if not isinstance(event, dict):
        return UnknownItem(_digest(raw), "", "the event is not an object"), raw
    try:
        return _item_of(event), raw
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        reason = f"the event cannot be read: {type(error).__name__}"
        return UnknownItem(_digest(raw), _contact(event), reason), raw


def _item_of(event: dict[str, Any]) -> WebhookItem:
    key = f"event:{_required(event, 'id')}"
    match event.get("type"):
        case "message":
            sender = event["from"]
            special = None if "text" in event else read_special(event)
            return InboundText(
                dedupe_key=key,
                external_id=_required(sender, "id"),
                customer_name=clean(sender.get("name"))[:MAX_NAME_LENGTH],
                platform_message_id=_required(event, "message_id"),
                text=_body(event["text"]) if special is None else in_words(special),
                platform_time=_time(event),
                special=special,
            )
        case "echo":
            return EchoedText(
                dedupe_key=key,
                external_id=_required(event, "to"),
                platform_message_id=_required(event, "message_id"),
                callback_data=_text(event, "callback_data"),
                text=_body(event["text"]),
                platform_time=_time(event),
                is_ours=event.get("app") != PHONE_APP,
            )
        case "status":
            status = STATUSES[_required(event, "status")]
            return StatusReport(
                dedupe_key=key,
                external_id=_text(event, "to"),
                platform_message_id=_required(event, "message_id"),
                callback_data=_text(event, "callback_data"),
                status=status,
                failure=_failure(event, status),
                platform_time=_time(event),
            )
    return UnknownItem(key, _contact(event), "the event is of a kind we do not know")


def _contact(event: dict[str, Any]) -> str:
    sender = event.get("from")
    found = sender.get("id") if isinstance(sender, dict) else event.get("to")
    is_good = isinstance(found, str) and len(found) <= MAX_ID_LENGTH and found.isprintable()
    return str(found) if is_good else ""


def _required(entry: Any, name: str) -> str:
    value = entry[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    if len(value) > MAX_ID_LENGTH or not value.isprintable():
        raise ValueError(name)
    return value


def _body(text: Any) -> str:
    """What the customer wrote; half of a surrogate pair, which no database takes, is replaced."""
    value = text["body"]
    if not isinstance(value, str) or not value:
        raise ValueError("body")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name, "")
    is_good = isinstance(value, str) and len(value) <= MAX_ID_LENGTH and value.isprintable()
    return value if is_good else ""


def _time(entry: dict[str, Any]) -> datetime | None:
    given = entry.get("time")
    if not isinstance(given, str):
        return None
    read = datetime.fromisoformat(given)
    return read if read.tzinfo is not None else None


def _failure(entry: dict[str, Any], status: DeliveryStatus) -> Failure | None:
    if not status.is_failed:
        return None
    error = entry.get("error")
    return _failure_of(_text(error, "code") if isinstance(error, dict) else "")


def _failure_of(code: str) -> Failure:
    reason, is_retryable = REASONS.get(code, (FailureReason.PLATFORM_ERROR, True))
    return Failure(reason, code, is_retryable=is_retryable)


def _code(answer: Answer) -> str:
    error = answer.json().get("error")
    code = _text(error, "code") if isinstance(error, dict) else ""
    return code or f"HTTP_{answer.status}"


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _authorisation(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"Bearer {connection.credentials.access_token}"}


def _account_url(connection: Connection) -> str:
    settings = connection.settings
    if not isinstance(settings, SimulatorSettings):
        raise TypeError("a simulator channel has simulator settings")
    return f"{settings.base_url.rstrip('/')}/v1/{quote(settings.account_id, safe='')}"
