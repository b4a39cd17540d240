"""HTTP calls to platforms, under a strict deadline, that know whether a byte has left."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import aiohttp

from services.messaging.model.dispatch import Ambiguous, NotSent

CONNECT_WITHIN = timedelta(seconds=5)
IDLE_CONNECTION_SECONDS = 10
MAX_CONNECTIONS_PER_HOST = 64
MAX_ANSWER_BYTES = 64 * 1024
DEFAULT_RETRY_AFTER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def retry_after(self) -> timedelta:
        """How long the platform asks us to stay away."""
        return read_retry_after(self.headers)


@dataclass(slots=True)
class _Progress:
    """Set right before the first byte is written: a doubt counts as sent."""

    has_left: bool = False


@dataclass(slots=True)
class PlatformCalls:
    """One pool of connections for all platforms. Close it at the end."""

    _session: aiohttp.ClientSession | None = field(default=None)

    async def call(
        self,
        method: str,
        url: str,
        *,
        within: timedelta,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] | None = None,
    ) -> Answer | NotSent | Ambiguous:
        """Make one call; never repeats it, follows no redirect, and ends by its deadline."""
        progress = _Progress()
        seconds = within.total_seconds()
        timeout = aiohttp.ClientTimeout(
            total=seconds, sock_connect=min(seconds, CONNECT_WITHIN.total_seconds())
        )
        try:
            async with self._opened().request(
                method,
                url,
                data=body,
                headers=dict(headers),
                timeout=timeout,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                answer = await response.content.read(MAX_ANSWER_BYTES)
                while len(answer) < MAX_ANSWER_BYTES and not response.content.at_eof():
                    answer += await response.content.read(MAX_ANSWER_BYTES - len(answer))
                return Answer(response.status, dict(response.headers), answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            code = _code_of(error)
            return Ambiguous(code) if progress.has_left else NotSent(code)

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_note_first_byte)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    limit_per_host=MAX_CONNECTIONS_PER_HOST,
                    # A platform may drop an idle connection while we write to it, and then
                    # nobody knows whether it read the message: keep them for a short time only.
                    keepalive_timeout=IDLE_CONNECTION_SECONDS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
            )
        return self._session


async def _note_first_byte(
    _: aiohttp.ClientSession,
    context: SimpleNamespace,
    __: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    context.trace_request_ctx.has_left = True


def read_retry_after(headers: Mapping[str, str]) -> timedelta:
    """Retry-After in seconds or as a date, measured against the answer's own Date."""
    given = headers.get("Retry-After", "")
    with suppress(ValueError, OverflowError):
        return timedelta(seconds=max(0.0, float(given)))
    try:
        return max(
            timedelta(0),
            parsedate_to_datetime(given) - parsedate_to_datetime(headers.get("Date", "")),
        )
    except (ValueError, TypeError):
        return DEFAULT_RETRY_AFTER


def is_success(status: int) -> bool:
    """2xx."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _code_of(error: Exception) -> str:
    """A short fact about a failed call: a type, never a message with values in it."""
    return "TIMEOUT" if isinstance(error, TimeoutError) else type(error).__name__
