"""The make-believe side: the control API for tests and seeding, and the customer's phone.

Opening accounts needs the control key, because an account holds a secret and an address that is
called. Phones and switches need none: this is a toy on the machine of whoever runs it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from suite.simulator.api import PLATFORM, json_body
from suite.simulator.platform import (
    DELIVERED,
    FAILED,
    STATES,
    TEXT,
    Account,
    checked_name,
    checked_text,
)
from suite.simulator.switches import RequestRefused

PAGE = Path(__file__).parent / "page"
CONTROL_KEY: web.AppKey[str] = web.AppKey("control_key", str)
CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
IDLE_SECONDS = 15.0


def routes() -> list[web.RouteDef]:
    """Everything that no real platform has."""
    control = "/control/accounts/{account}"
    phone = "/phone/{account}/{customer}"
    return [
        web.get("/healthz", healthz),
        web.put(control, open_account),
        web.get(control, show_account),
        web.patch(f"{control}/switches", change_switches),
        web.post(f"{control}/messages/{{message}}/report", report_status),
        web.get(phone, phone_page),
        web.get(f"{phone}/live", live),
        web.post(f"{phone}/messages", write),
        web.post(f"{phone}/answers", answer),
        web.post(f"{phone}/seen", see),
        web.get("/page/{file}", page_file),
    ]


async def healthz(_: web.Request) -> web.Response:
    """Answer that the process is up."""
    return web.Response(text="ok")


async def open_account(request: web.Request) -> web.Response:
    """Open an account or change it; a repeat changes nothing."""
    _need_key(request)
    account = request.app[PLATFORM].open(request.match_info["account"], **await json_body(request))
    return web.json_response({"account": account.id})


async def show_account(request: web.Request) -> web.Response:
    """Everything recorded about an account: the evidence of a test. Never its secrets."""
    _need_key(request)
    account = _account(request)
    return web.json_response(
        {
            "account": account.id,
            "messages": [asdict(message) for message in account.messages.values()],
            "calls": [asdict(call) for call in account.calls],
            "switches": asdict(account.switches),
            "webhook": {"state": account.webhook_state, "pending": account.pending_count},
        }
    )


async def change_switches(request: web.Request) -> web.Response:
    """Set some switches; the others stay."""
    account = _account(request)
    account.switches.change(await json_body(request))
    account.tell()
    return web.json_response(asdict(account.switches))


async def report_status(request: web.Request) -> web.Response:
    """Report a state of a message, in any order and as often as asked."""
    _need_key(request)
    account = _account(request)
    body = await json_body(request)
    message = account.messages.get(request.match_info["message"])
    state = body.get("status")
    if message is None or state not in {*STATES, FAILED}:
        raise RequestRefused(404, "unknown_message", "no such message or status")
    account.report(message, state, error_code=str(body.get("error_code", "")))
    return web.json_response({"status": message.state})


async def phone_page(request: web.Request) -> web.StreamResponse:
    """Show the customer's phone."""
    _account(request)
    checked_name(request.match_info["customer"])
    html = (PAGE / "phone.html").read_text()
    return web.Response(text=html, content_type="text/html", headers=HEADERS)


async def page_file(request: web.Request) -> web.StreamResponse:
    """One of the page's files."""
    file = PAGE / Path(request.match_info["file"]).name
    kind = CONTENT_TYPES.get(file.suffix)
    if kind is None or not file.is_file():
        raise RequestRefused(404, "unknown_file", "there is no such file")
    return web.Response(text=file.read_text(), content_type=kind, headers=HEADERS)


async def write(request: web.Request) -> web.Response:
    """Let the customer write."""
    account = _account(request)
    customer = checked_name(request.match_info["customer"])
    body = await json_body(request)
    name = body.get("name", "")
    if name:
        checked_text(name)
    kind = body.get("kind", TEXT)
    if kind == TEXT:
        message = account.write(customer, checked_text(body.get("text")), name[:80])
    else:
        details = body.get("details")
        message = account.write(customer, "", name[:80], kind=checked_name(kind), details=details)
    return web.json_response({"message_id": message.id})


async def answer(request: web.Request) -> web.Response:
    """Let the business's owner answer from their own phone, past Inbox."""
    account = _account(request)
    customer = checked_name(request.match_info["customer"])
    message = account.answer_from_phone(
        customer, checked_text((await json_body(request)).get("text"))
    )
    account.carry(message, DELIVERED, after=account.switches.deliver_after_seconds)
    return web.json_response({"message_id": message.id})


async def see(request: web.Request) -> web.Response:
    """Let the customer look at the conversation."""
    account = _account(request)
    seen = account.see(checked_name(request.match_info["customer"]))
    return web.json_response({"seen": seen})


async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events: the whole phone whenever something on it changed."""
    account = _account(request)
    customer = checked_name(request.match_info["customer"])
    response = web.StreamResponse(
        headers={**HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    changed = asyncio.Event()
    account.changed.append(changed.set)
    shown = ""
    try:
        while True:
            changed.clear()
            now = json.dumps(account.phone(customer))
            line = f"data: {now}\n\n" if now != shown else ": still here\n\n"
            await response.write(line.encode())
            shown = now
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), IDLE_SECONDS)
    except ConnectionError:
        return response
    finally:
        account.changed.remove(changed.set)


def _account(request: web.Request) -> Account:
    return request.app[PLATFORM].get(request.match_info["account"])


def _need_key(request: web.Request) -> None:
    wanted: str = request.app[CONTROL_KEY]
    given = request.headers.get("X-Control-Key", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise RequestRefused(403, "control_key_needed", "send the control key in X-Control-Key")


def error_answer(refused: RequestRefused) -> web.Response:
    """A refusal as the platform writes it."""
    error: dict[str, Any] = {"code": refused.code, "message": refused.message}
    headers = {"Retry-After": "1"} if refused.code == "overloaded" else {}
    return web.json_response({"error": error}, status=refused.status, headers=headers)
