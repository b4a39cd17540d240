"""TLS at the front door: pages, sockets and gRPC by the real Envoy, and nobody without it."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import grpc
import pytest

from gateway.envoy import Certificate
from gateway.origins import CLIENT_HEADER
from inbox.messaging import v1 as messaging_v1
from tests.authority import Authority
from tests.running_inbox import dev, running_inbox
from tests.system.dev.door import LOOPBACK, Door, open_door

HEARD_SECONDS = 15.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
async def door(tmp_path: Path, authority: Authority) -> AsyncIterator[Door]:
    chain, key = authority.issue("localhost")
    certificate = Certificate(chain_file=str(chain), key_file=str(key))
    async with open_door(tmp_path, certificate) as door:
        yield door


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


async def test_a_page_comes_by_https(door: Door, authority: Authority) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{door.url}/chat/x", ssl=trusting(authority)) as answer,
    ):
        seen = await answer.json()

    assert (answer.status, seen["path"]) == (200, "/chat/x")
    assert seen["scheme"] == "https", "what the gateway is told of the browser's way"


async def test_a_socket_comes_by_https(door: Door, authority: Authority) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{door.url}/ws", ssl=trusting(authority)) as socket,
    ):
        await socket.send_str("hola")
        assert await socket.receive_str(timeout=5) == "echo hola"


async def test_grpc_comes_by_tls(door: Door, authority: Authority) -> None:
    credentials = grpc.ssl_channel_credentials(authority.file.read_bytes())
    async with grpc.aio.secure_channel(f"localhost:{door.port}", credentials) as channel:
        stub = messaging_v1.MessagingServiceStub(channel)
        answer = await stub.GetMessage(messaging_v1.GetMessageRequest(), timeout=5)
        call = stub.SendMessages()
        await call.write(messaging_v1.SendMessagesRequest())
        assert isinstance(await call.read(), messaging_v1.SendMessagesResponse)
        await call.done_writing()

    assert answer.message.id in {"one", "two"}


async def greeted(door: Door, asking: ssl.SSLContext) -> ssl.SSLObject:
    """What was agreed on with the door."""
    async with asyncio.timeout(5):
        _, writer = await asyncio.open_connection(LOOPBACK, door.port, ssl=asking)
        agreed: ssl.SSLObject = writer.get_extra_info("ssl_object")
        writer.close()
    return agreed


@pytest.mark.parametrize("wanted", ["h2", "http/1.1"])
async def test_each_client_gets_the_protocol_it_asks_for(
    door: Door, authority: Authority, wanted: str
) -> None:
    asking = trusting(authority)
    asking.set_alpn_protocols([wanted])

    assert (await greeted(door, asking)).selected_alpn_protocol() == wanted


@pytest.mark.parametrize(
    ("version", "is_taken"),
    [
        (ssl.TLSVersion.TLSv1_3, True),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_1, False),
    ],
)
async def test_tls_is_1_2_or_newer(
    door: Door, authority: Authority, version: ssl.TLSVersion, is_taken: bool
) -> None:
    asking = trusting(authority)
    asking.set_ciphers("ALL:@SECLEVEL=0")  # else this side would refuse the old version itself
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        asking.minimum_version = asking.maximum_version = version

    if is_taken:
        assert (await greeted(door, asking)).version() == version.name.replace("_", ".")
    else:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            await greeted(door, asking)


async def test_nobody_is_served_without_tls(door: Door) -> None:
    plain = door.url.replace("https", "http")
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get(plain)
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.ws_connect(f"{plain}/ws")
    async with grpc.aio.insecure_channel(f"{LOOPBACK}:{door.port}") as channel:
        stub = messaging_v1.MessagingServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetMessage(messaging_v1.GetMessageRequest(), timeout=5)

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert sum(replica.servicer.calls for replica in door.replicas) == 0


async def test_a_client_that_does_not_know_the_authority_does_not_talk(
    door: Door, tmp_path: Path
) -> None:
    """The negative control: it is the certificate that makes the clients above believe."""
    with pytest.raises(ssl.SSLCertVerificationError):
        await greeted(door, trusting(Authority(tmp_path / "another")))


def test_dev_up_with_a_certificate_is_https_from_the_link_to_the_cookie(
    tmp_path: Path, authority: Authority
) -> None:
    chain, key = authority.issue("localhost")
    options = ("--tls-cert", str(chain), "--tls-key", str(key))
    with running_inbox(tmp_path / "data", *options) as suite:
        link = urlsplit(suite.links.sign_in)
        origin = f"https://localhost:{suite.port}"
        assert f"{link.scheme}://{link.netloc}" == origin
        assert f"chat page: {origin}/chat/" in suite.screen
        assert origin in dev("status", "--data", str(suite.data)).stdout

        asyncio.run(sign_in_and_hear_a_customer(origin, link.query, trusting(authority)))


async def sign_in_and_hear_a_customer(origin: str, link: str, known: ssl.SSLContext) -> None:
    """The platform's webhook comes in as well, though it knows nothing of the authority."""
    headers = {"origin": origin, CLIENT_HEADER: "test"}
    connector = aiohttp.TCPConnector(ssl=known)
    async with aiohttp.ClientSession(origin, connector=connector, headers=headers) as browser:
        credential = {"link": link.removeprefix("link=")}
        async with browser.post("/auth/sign-in", json=credential) as answer:
            assert answer.status == 200, await answer.text()
            (cookie,) = answer.cookies.values()
        assert cookie["secure"], "it must never travel in the clear"

        phone = "/simulator/phone/demo/maria/messages"
        async with browser.post(phone, json={"text": "hola"}) as answer:
            assert answer.ok, await answer.text()
        async with asyncio.timeout(HEARD_SECONDS):
            while "hola" not in await inbox_of(browser):
                await asyncio.sleep(0.05)


async def inbox_of(browser: aiohttp.ClientSession) -> str:
    path = "/inbox.conversation.v1.ConversationService/ListConversations"
    async with browser.post(path, json={}) as answer:
        assert answer.ok, await answer.text()
        return await answer.text()
