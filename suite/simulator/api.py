"""The platform's API, as businesses call it: send, look up, check the token."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from suite.simulator.platform import (
    API_APP,
    DELIVERED,
    FAILED,
    FILE_KINDS,
    MAX_CAPTION_LENGTH,
    MAX_MEDIA_BYTES,
    SENT,
    TEXT,
    WITHOUT_CAPTION,
    Account,
    Call,
    Platform,
    PlatformMessage,
    checked_name,
    checked_text,
)
from suite.simulator.switches import REFUSALS, RequestRefused

PLATFORM: web.AppKey[Platform] = web.AppKey("platform", Platform)
IDEMPOTENCY_HEADER = "Idempotency-Key"
MAX_CALLBACK_LENGTH = 512
REPORT_GRACE_SECONDS = 0.4


def routes() -> list[web.RouteDef]:
    """The business's side."""
    return [
        web.post("/v1/{account}/messages", send_message),
        web.get("/v1/{account}/messages", find_messages),
        web.get("/v1/{account}/messages/{message}", get_message),
        web.post("/v1/{account}/media", take_media),
        web.get("/v1/{account}", check_token),
    ]


async def check_token(request: web.Request) -> web.Response:
    """Answer whether the token is good."""
    account = _authorised(request)
    return web.json_response({"account": account.id, "display_name": account.display_name})


async def get_message(request: web.Request) -> web.Response:
    """One message and its state, by the platform's id."""
    account = _with_lookup(request)
    message = account.messages.get(request.match_info["message"])
    if message is None:
        raise RequestRefused(404, "unknown_message", "there is no such message")
    return web.json_response(_shown(message))


async def find_messages(request: web.Request) -> web.Response:
    """Messages that were sent with this callback data."""
    account = _with_lookup(request)
    wanted = request.query.get("callback_data", "")
    found = [m for m in account.messages.values() if wanted and m.callback_data == wanted]
    return web.json_response({"messages": [_shown(message) for message in found]})


async def send_message(request: web.Request) -> web.StreamResponse:
    """Take a message for a customer, or misbehave as the switches say."""
    account = _account(request)
    wish = await _wish(request, account)

    def record(outcome: str, message_id: str = "") -> None:
        account.record(
            Call(account.now(), wish.to, wish.callback_data, wish.key, outcome, message_id)
        )
        account.tell()

    switches = account.switches
    try:
        _authorised(request)
    except RequestRefused as refused:
        record(refused.code)
        raise
    if switches.takes("reset_before_accept"):
        record("reset_before_accept")
        return _reset(request)
    if switches.takes("rate_limit"):
        record("rate_limited")
        return web.json_response(
            {"error": {"code": "rate_limited", "message": "slow down"}},
            status=429,
            headers={"Retry-After": f"{switches.retry_after_seconds:g}"},
        )
    if switches.takes("fail_next"):
        record(switches.fail_code)
        raise RequestRefused(REFUSALS[switches.fail_code], switches.fail_code, "refused by switch")
    message, is_new = account.accept(
        wish.to,
        wish.text,
        wish.callback_data,
        wish.key,
        kind=wish.kind,
        media_id=wish.media_id,
        file_name=wish.file_name,
    )
    record("accepted" if is_new else "repeated", message.id)
    if is_new:
        _plan_reports(account, message)
        if switches.echoes_own:
            account.echo(message, app=API_APP)
    return await _answer(request, account, message)


async def take_media(request: web.Request) -> web.Response:
    """Take a file, as it streams in."""
    account = _authorised(request)
    digest, size_bytes = hashlib.sha256(), 0
    async for part in request.content.iter_chunked(64 * 1024):
        digest.update(part)
        size_bytes += len(part)
        if size_bytes > MAX_MEDIA_BYTES:
            raise RequestRefused(413, "content_rejected", "the file is too large")
    media = account.keep_media(request.content_type, size_bytes, digest.hexdigest())
    return web.json_response({"media_id": media.id})


async def _answer(
    request: web.Request, account: Account, message: PlatformMessage
) -> web.StreamResponse:
    switches = account.switches
    if switches.takes("report_before_answer"):
        # Long enough for the statuses to overtake the answer.
        await asyncio.sleep(switches.deliver_after_seconds + REPORT_GRACE_SECONDS)
    if switches.takes("answer_late"):
        await asyncio.sleep(switches.answer_late_seconds)
    if switches.takes("reset_after_accept"):
        return _reset(request)
    if switches.takes("garbage_answer"):
        return web.Response(text="<html>gateway</html>")
    return web.json_response({"message_id": message.id, "status": message.state})


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a business asks to send."""

    to: str
    text: str
    callback_data: str
    key: str
    kind: str = TEXT
    media_id: str = ""
    file_name: str = ""


async def _wish(request: web.Request, account: Account) -> _Wish:
    body = await _json(request)
    callback_data = body.get("callback_data", "")
    if not isinstance(callback_data, str) or len(callback_data) > MAX_CALLBACK_LENGTH:
        raise RequestRefused(400, "bad_callback_data", "callback_data is a short string")
    return _Wish(
        to=checked_name(body.get("to")),
        callback_data=callback_data,
        key=request.headers.get(IDEMPOTENCY_HEADER, ""),
        **_said(body, account),
    )


def _said(body: dict[str, Any], account: Account) -> dict[str, str]:
    """What a message says: a text, or one file with or without a caption."""
    kind = next((kind for kind in FILE_KINDS if kind in body), None)
    if kind is None:
        text = body.get("text")
        return {"text": checked_text(text.get("body") if isinstance(text, dict) else None)}
    file = body[kind]
    if not isinstance(file, dict) or file.get("id") not in account.media:
        raise RequestRefused(400, "content_rejected", "there is no such file; upload it first")
    caption = file.get("caption", "")
    if caption and (kind in WITHOUT_CAPTION or len(checked_text(caption)) > MAX_CAPTION_LENGTH):
        raise RequestRefused(400, "content_rejected", "the caption is too long, or not allowed")
    file_name = str(file.get("file_name", ""))
    return {"text": caption, "kind": kind, "media_id": file["id"], "file_name": file_name}


def _plan_reports(account: Account, message: PlatformMessage) -> None:
    switches = account.switches
    if not switches.reports_by_itself:
        return
    account.report(message, SENT)
    end = FAILED if switches.takes("fail_late") else DELIVERED
    account.carry(message, end, after=switches.deliver_after_seconds)


def _reset(request: web.Request) -> web.Response:
    """Cut the connection with an RST instead of an answer."""
    transport = request.transport
    if transport is not None:
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response(status=500)


def _account(request: web.Request) -> Account:
    return request.app[PLATFORM].get(request.match_info["account"])


def _authorised(request: web.Request) -> Account:
    account = _account(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not hmac.compare_digest(token.encode(), account.token.encode()):
        raise RequestRefused(401, "token_invalid", "the access token is not of this account")
    if account.switches.is_token_expired:
        raise RequestRefused(401, "token_expired", "the access token has expired")
    return account


def _with_lookup(request: web.Request) -> Account:
    account = _authorised(request)
    if not account.has_lookup:
        raise RequestRefused(404, "lookup_unsupported", "this account cannot look messages up")
    return account


def _shown(message: PlatformMessage) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "message_id": message.id,
        "status": message.state,
        "to": message.customer_id,
        "callback_data": message.callback_data,
        "time": message.time,
    }
    if message.error_code:
        shown["error"] = {"code": message.error_code}
    return shown


async def _json(request: web.Request) -> dict[str, Any]:
    # Insisting on the type makes a browser ask first, so foreign sites cannot post here.
    if request.content_type != "application/json":
        raise RequestRefused(415, "bad_content_type", "send application/json")
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise RequestRefused(400, "bad_json", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise RequestRefused(400, "bad_json", "the body is not an object")
    return body


json_body = _json
"""For the other half of the HTTP surface."""
