"""An XMPP client that costs little: signs in, sends, counts what it gets."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import cast

from bench.sockets import MARK, STAMP_DIGITS, Tally, stamped
from chassis.ids import new_id

TEXT_LENGTH = 140
READY_WITHIN_SECONDS = 30.0
OPEN = (
    "<stream:stream to='localhost' xmlns='jabber:client' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)


class Client(asyncio.Protocol):
    """One XMPP stream."""

    transport: asyncio.Transport

    def __init__(self, user: str, resource: str, tally: Tally) -> None:
        self.user = user
        self.resource = resource
        self.tally = tally
        self.acknowledged = 0
        self.on_ack = _nothing
        self._rest = b""
        self._expected: tuple[bytes, asyncio.Future[None]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if self._expected is not None:
            marker, reached = self._expected
            self._rest = data
            if marker in data and not reached.done():
                self._rest = b""
                reached.set_result(None)
            return
        cut = data.rfind(b">") + 1
        whole, self._rest = data[:cut], data[cut:]
        at = whole.find(MARK)
        while at >= 0:
            self.tally.add(whole[at + 2 : at + 2 + STAMP_DIGITS])
            at = whole.find(MARK, at + STAMP_DIGITS)
        for count in re.findall(rb"<a [^>]*h='(\d+)'", whole):
            fresh, self.acknowledged = int(count) - self.acknowledged, int(count)
            for _ in range(fresh):
                self.on_ack()

    async def ask(self, text: str, until: bytes) -> None:
        """Write something and wait for a piece of the answer."""
        self._expected = until, asyncio.get_running_loop().create_future()
        self.transport.write(text.encode())
        await self._expected[1]

    async def sign_in(self) -> None:
        """Until it is there and its stream is managed."""
        secret = base64.b64encode(f"\0{self.user}\0any".encode()).decode()
        plain = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            await self.ask(OPEN, b"</stream:features>")
            await self.ask(f"{plain}{secret}</auth>", b"<success")
            await self.ask(OPEN, b"</stream:features>")
            await self.ask(
                f"<iq type='set' id='bind'>{bind}<resource>{self.resource}</resource></bind></iq>",
                b"</iq>",
            )
            await self.ask("<enable xmlns='urn:xmpp:sm:3'/>", b"<enabled")
            await self.ask("<presence/>", b"<presence")
        self._expected = None

    def send(self, to: str) -> None:
        """One chat message, and a request for the acknowledgement."""
        body = f"<body>{stamped(TEXT_LENGTH)}</body>"
        self.transport.write(
            f"<message to='{to}@localhost' type='chat' id='{new_id()}'>{body}</message>"
            "<r xmlns='urn:xmpp:sm:3'/>".encode()
        )


def _nothing() -> None:
    """Nobody waits for acknowledgements yet."""
