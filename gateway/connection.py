"""The I/O around one session: bytes in, prebuilt frames out, and what happens when nobody reads.

After the handshake aiohttp lets go of the transport, and this small protocol takes it over: an
idle socket then costs a kibibyte or two and no task. Writing hands the shared bytes to the
transport. When the transport says it is full, chunks wait here, bounded; a client that stays
behind is closed with a code that lets it come back and resume.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from chassis import metrics
from gateway.actions import Action, Close, Emit, Ping
from gateway.close_codes import CloseCode
from gateway.frames import (
    NO_STATUS,
    PING,
    FrameInvalid,
    FrameReader,
    Opcode,
    Received,
    close_code_of,
    close_frame,
    frame,
)
from gateway.liveness import Allowance

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from gateway.encodings import Encoding

CONNECTION_LOST = 1006
"""What the other side calls an end without a close frame."""
KNOWN_CODES = frozenset({1000, 1001, CONNECTION_LOST, *CloseCode})
"""For metrics: a client's own codes could be any."""
MAX_INBOUND_BYTES = 64 * 1024
MAX_WRITES_BEHIND = 256
"""A write is a frame, or in a burst the joined frames of one tick; their bytes are counted too."""
MAX_BYTES_BEHIND = 1024 * 1024
STALLED_AFTER_SECONDS = 10.0
CLOSING_SECONDS = 3.0
"""How long the client may take to answer our close frame."""
TRANSPORT_HIGH_BYTES = 32 * 1024
TRANSPORT_LOW_BYTES = 8 * 1024


class SocketSession(Protocol):
    """What a connection needs of the state machine it serves."""

    def heard(self, now: float) -> None:
        """Bytes came."""
        ...

    def receive(self, received: Received) -> list[Action]:
        """A whole message came."""
        ...

    def tick(self, now: float) -> list[Action]:
        """Time passed."""
        ...

    def leave(self, delay_millis: int) -> list[Action]:
        """Ask the client to come back elsewhere after the delay."""
        ...

    def close(self, code: CloseCode, reason: str) -> list[Action]:
        """End it."""
        ...


SessionT = TypeVar("SessionT", bound=SocketSession)


class Endpoint(Protocol):
    """Carries out what only the rest of the process can do."""

    @property
    def kind(self) -> str:
        """Whose sockets these are, for metrics."""
        ...

    def act(self, connection: Any, action: Action) -> None:
        """Begin to do it; never waits."""
        ...

    def gone(self, connection: Any) -> None:
        """The socket is closed or closing: forget it."""
        ...


class Connection(asyncio.Protocol, Generic[SessionT]):
    """One live socket."""

    __slots__ = (
        "__weakref__",
        "_allowance",
        "_behind",
        "_behind_bytes",
        "_closing_since",
        "_endpoint",
        "_full_since",
        "_loop",
        "_reader",
        "_room",
        "_transport",
        "encoding",
        "session",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        session: SessionT,
        encoding: Encoding,
        endpoint: Endpoint,
    ) -> None:
        self.session = session
        self.encoding = encoding
        self._transport = transport
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(MAX_INBOUND_BYTES)
        self._allowance = Allowance(self._loop.time())
        self._behind: deque[bytes] | None = None
        self._behind_bytes = 0
        self._full_since: float | None = None
        self._room: asyncio.Event | None = None
        self._closing_since: float | None = None
        metrics.GATEWAY_SOCKETS.labels(endpoint.kind).inc()
        transport.set_write_buffer_limits(TRANSPORT_HIGH_BYTES, TRANSPORT_LOW_BYTES)

    @property
    def is_open(self) -> bool:
        """Whether frames may still be sent."""
        return self._closing_since is None

    @property
    def is_behind(self) -> bool:
        """Whether the client reads more slowly than we write."""
        return self._full_since is not None

    async def wait_for_room(self) -> None:
        """Until the client has caught up, or is closed for not doing so."""
        if self.is_behind and self.is_open:
            self._room = asyncio.Event()
            await self._room.wait()

    def now(self) -> float:
        """The clock the session's times are on."""
        return self._loop.time()

    def offer(self, chunk: bytes) -> None:
        """Send whole frames; never waits. A client too far behind is closed, to resume later."""
        if self._closing_since is not None:
            return
        if self._full_since is None:
            self._transport.write(chunk)
            return
        if self._behind is None:
            self._behind = deque()
        self._behind.append(chunk)
        self._behind_bytes += len(chunk)
        if self._behind_bytes > MAX_BYTES_BEHIND or len(self._behind) > MAX_WRITES_BEHIND:
            self.close(CloseCode.TOO_SLOW, "too many frames wait; come back and resume")

    def emit(self, message: Message) -> None:
        """Send one message to this client only."""
        self.offer(self.encoding.encode(message))

    def perform(self, actions: list[Action]) -> None:
        """Carry out what the session asked for."""
        for action in actions:
            if isinstance(action, Emit):
                self.emit(action.message)
            elif isinstance(action, Ping):
                # Behind a full buffer a ping says nothing; the stall has its own limit.
                if not self.is_behind:
                    self.offer(PING)
            elif isinstance(action, Close):
                self._close_with(action.code, action.reason)
            elif self._closing_since is None:
                self._endpoint.act(self, action)

    def close(self, code: CloseCode, reason: str) -> None:
        """End the socket from our side."""
        self.perform(self.session.close(code, reason))

    def tick(self, now: float) -> bool:
        """Time passed; False once there is nothing left to watch over."""
        if self._closing_since is not None:
            if now - self._closing_since >= CLOSING_SECONDS:
                self._transport.abort()
                return False
            return True
        if self._full_since is not None and now - self._full_since >= STALLED_AFTER_SECONDS:
            self.close(CloseCode.TOO_SLOW, "nothing was read for 10 seconds; come back and resume")
        self.perform(self.session.tick(now))
        return True

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        now = self._loop.time()
        self.session.heard(now)
        try:
            received = self._reader.feed(data)
        except FrameInvalid as error:
            self._reader = FrameReader(MAX_INBOUND_BYTES)
            self.close(CloseCode.MALFORMED, str(error))
            return
        for message in received:
            if message.opcode is Opcode.CLOSE:
                self._answer_close(message.payload)
            elif self._closing_since is not None or message.opcode is Opcode.PONG:
                continue
            elif not self._allowance.take(now):
                self.close(CloseCode.TOO_MANY, "too many frames; at most 20 a second")
            elif message.opcode is Opcode.PING:
                self.offer(frame(Opcode.PONG, message.payload))
            else:
                self.perform(self.session.receive(message))

    def eof_received(self) -> bool:
        """The client sends no more: close too."""
        return False

    def pause_writing(self) -> None:
        """The transport is full."""
        if self._full_since is None:
            self._full_since = self._loop.time()

    def resume_writing(self) -> None:
        """The transport has room again."""
        self._full_since = None
        behind = self._behind
        # A write may fill the transport at once, which calls pause_writing again.
        while behind and self._full_since is None:
            chunk = behind.popleft()
            self._behind_bytes -= len(chunk)
            self._transport.write(chunk)
        if not behind:
            self._behind = None
        if self._full_since is None:
            self._let_go()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The socket is gone."""
        if self._closing_since is None:
            self.session.close(CloseCode.NORMAL, "the client is gone")
            self._end(CONNECTION_LOST)
        metrics.GATEWAY_SOCKETS.labels(self._endpoint.kind).dec()
        # Already past its time: the sweeper lets go of it at its next tick.
        self._closing_since = float("-inf")
        self._behind = None
        self._let_go()

    def _let_go(self) -> None:
        """Wake who waits for room."""
        if self._room is not None:
            self._room.set()
            self._room = None

    def _close_with(self, code: CloseCode, reason: str) -> None:
        if self._closing_since is not None:
            return
        self._end(code)
        # The transport stays open until the client has answered: closing it while bytes of the
        # client are unread would reset the connection, and the client would never see the code.
        self._transport.write(close_frame(code, reason))

    def _end(self, code: int) -> None:
        """Nothing more is sent, and nobody else counts on it any more."""
        self._closing_since = self._loop.time()
        self._behind = None
        self._let_go()
        metrics.GATEWAY_CLOSES.labels(code).inc()
        self._endpoint.gone(self)

    def _answer_close(self, payload: bytes) -> None:
        if self._closing_since is None:
            self.session.close(CloseCode.NORMAL, "the client closed")
            code = close_code_of(payload)
            self._end(code if code in KNOWN_CODES else CloseCode.NORMAL)
            self._transport.write(close_frame(CloseCode.NORMAL if code == NO_STATUS else code))
        self._transport.close()
