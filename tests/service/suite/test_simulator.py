"""The platform double keeps its own promises, or nothing proven against it counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from suite.simulator.app import Simulator, running_simulator
from suite.simulator.webhooks import SIGNATURE_HEADER, sign

pytestmark = pytest.mark.service

TOKEN = "token-of-the-business"
SECRET = "secret-of-the-webhook"


@dataclass
class Business:
    """A webhook that notes what it gets."""

    url: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in json.loads(body)["events"]]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.status == 200:
            self.bodies.append(body)
            self.signatures.append(request.headers[SIGNATURE_HEADER])
            self.came.set()
        return web.Response(status=self.status)

    async def has(self, count: int, within: float = 5.0) -> list[dict[str, Any]]:
        async with asyncio.timeout(within):
            while len(self.events) < count:
                self.came.clear()
                await self.came.wait()
        return self.events


@asynccontextmanager
async def running_business() -> AsyncIterator[Business]:
    business = Business()
    application = web.Application()
    application.router.add_post("/hook", business.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    business.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield business
    finally:
        await runner.cleanup()


@pytest.fixture
async def business() -> AsyncIterator[Business]:
    async with running_business() as running:
        yield running


@pytest.fixture
async def simulator(business: Business) -> AsyncIterator[Simulator]:
    async with running_simulator(seed=7) as running:
        account = running.platform.open(
            "shop", token=TOKEN, webhook_url=business.url, webhook_secret=SECRET
        )
        account.switches.deliver_after_seconds = 0.05
        yield running


async def send(simulator: Simulator, text: str = "hola", key: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"Idempotency-Key": key} if key else {})
    body = {"to": "ana", "text": {"body": text}, "callback_data": "ours"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/v1/shop/messages", json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_sent_message_is_reported_in_signed_webhooks(
    simulator: Simulator, business: Business
) -> None:
    status, answer = await send(simulator)

    events = await business.has(2)
    assert status == 200
    assert [event["status"] for event in events] == ["sent", "delivered"]
    assert {event["message_id"] for event in events} == {answer["message_id"]}
    assert {event["callback_data"] for event in events} == {"ours"}
    assert business.signatures == [sign(SECRET, body) for body in business.bodies]


async def test_the_owner_answers_from_their_own_phone(
    simulator: Simulator, business: Business
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{simulator.url}/phone/shop/ana/answers", json={"text": "Olga here"}
        ) as answer,
    ):
        sent = await answer.json()

    echo, delivered = await business.has(2)
    assert (echo["type"], echo["app"], echo["to"]) == ("echo", "phone", "ana")
    assert (echo["text"], echo["message_id"]) == ({"body": "Olga here"}, sent["message_id"])
    assert (delivered["status"], delivered["message_id"]) == ("delivered", sent["message_id"])
    assert simulator.platform.get("shop").phone("ana")["messages"][0]["text"] == "Olga here"


async def test_a_platform_may_echo_what_came_through_the_api_too(
    simulator: Simulator, business: Business
) -> None:
    simulator.platform.get("shop").switches.change({"echoes_own": True})

    _, answer = await send(simulator)

    events = await business.has(3)
    (echo,) = [event for event in events if event["type"] == "echo"]
    assert (echo["app"], echo["message_id"]) == ("api", answer["message_id"])
    assert echo["callback_data"] == "ours"


async def test_a_webhook_that_is_away_gets_everything_later(
    simulator: Simulator, business: Business
) -> None:
    business.status = 503
    simulator.platform.get("shop").write("ana", "is anybody there?", "Ana")
    await asyncio.sleep(0.3)

    business.status = 200

    (event,) = await business.has(1)
    assert (event["from"], event["text"]) == (
        {"id": "ana", "name": "Ana"},
        {"body": "is anybody there?"},
    )


async def test_only_an_idempotent_account_drops_a_repeat(simulator: Simulator) -> None:
    account = simulator.platform.get("shop")
    for key in ("one", "one"):
        await send(simulator, key=key)
    assert len(account.messages) == 2

    account.is_idempotent = True
    first = await send(simulator, key="two")
    second = await send(simulator, key="two")

    assert first[1]["message_id"] == second[1]["message_id"]
    assert len(account.messages) == 3
    assert [call.outcome for call in account.calls][-2:] == ["accepted", "repeated"]


@pytest.mark.parametrize(
    ("switch", "status", "code"),
    [
        ("fail_next", 400, "recipient_unavailable"),
        ("rate_limit", 429, "rate_limited"),
        ("is_token_expired", 401, "token_expired"),
    ],
)
async def test_switches_refuse_a_send(
    simulator: Simulator, switch: str, status: int, code: str
) -> None:
    account = simulator.platform.get("shop")
    account.switches.change({switch: True if switch.startswith("is_") else 1})

    answered, body = await send(simulator)

    assert (answered, body["error"]["code"]) == (status, code)
    assert not account.messages


@pytest.mark.parametrize(
    ("switch", "arrived"), [("reset_before_accept", 0), ("reset_after_accept", 1)]
)
async def test_a_reset_connection_says_nothing_about_the_message(
    simulator: Simulator, switch: str, arrived: int
) -> None:
    account = simulator.platform.get("shop")
    account.switches.change({switch: 1})

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await send(simulator)

    assert len(account.messages) == arrived


async def test_unruly_webhooks_come_twice_and_shuffled_but_complete(
    simulator: Simulator, business: Business
) -> None:
    account = simulator.platform.get("shop")
    account.switches.change({"duplicates": True, "shuffles": True})
    for number in range(20):
        await send(simulator, f"message {number}")

    events = await business.has(160, within=10.0)

    reported = [(event["message_id"], event["status"]) for event in events]
    assert set(reported) == {
        (message_id, status) for message_id in account.messages for status in ("sent", "delivered")
    }
    assert [status for _, status in reported] != sorted((s for _, s in reported), reverse=True)


async def test_a_restart_keeps_the_phones_history(tmp_path: Path) -> None:
    async with running_simulator(folder=tmp_path) as simulator:
        account = simulator.platform.open("shop", token=TOKEN)
        account.write("ana", "hola", "Ana Torres")
        account.switches.change({"are_receipts_off": True})

    async with running_simulator(folder=tmp_path) as simulator:
        account = simulator.platform.get("shop")
        phone = account.phone("ana")
        assert [message["text"] for message in phone["messages"]] == ["hola"]
        assert phone["customer"]["name"] == "Ana Torres"
        assert phone["switches"]["are_receipts_off"]
        assert phone["webhook"]["pending"] == 1
        assert account.token == TOKEN


async def test_the_phone_page_works_behind_its_prefix(simulator: Simulator) -> None:
    async with aiohttp.ClientSession() as session:
        for prefix in ("", "/simulator"):
            url = simulator.url + prefix
            async with session.get(f"{url}/phone/shop/ana") as page:
                assert page.status == 200
                assert "default-src 'self'" in page.headers["Content-Security-Policy"]
            async with session.get(f"{url}/page/phone.js") as script:
                assert script.status == 200
            async with session.post(f"{url}/phone/shop/ana/messages", json={"text": "x"}) as sent:
                assert sent.status == 200


async def test_accounts_are_opened_with_the_control_key_only(simulator: Simulator) -> None:
    url = f"{simulator.url}/control/accounts/other"
    async with aiohttp.ClientSession() as session:
        async with session.put(url, json={"token": "t"}) as refused:
            assert refused.status == 403
        key = {"X-Control-Key": simulator.control_key}
        async with session.put(url, json={"token": "t"}, headers=key) as opened:
            assert opened.status == 200
        async with session.get(url, headers=key) as shown:
            assert "token" not in await shown.json()
