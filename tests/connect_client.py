"""A small Connect client for tests: unary calls through the gateway, binary and typed."""

from __future__ import annotations

from typing import TypeVar

import aiohttp
import orjson
from google.protobuf.message import Message

Answer = TypeVar("Answer", bound=Message)


class CallRefused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, code: str, reason: str, message: str) -> None:
        super().__init__(f"HTTP {status} {code} {reason}: {message}")
        self.status = status
        self.code = code
        self.reason = reason


class ConnectClient:
    """Calls `/<package.Service>/<Method>` with one credential."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        self.http = http
        self.url = url.rstrip("/")
        self.token = token

    async def call(
        self, method: str, request: Message, answer: type[Answer], *, seconds: float = 10.0
    ) -> Answer:
        """One unary call. Raises: CallRefused, aiohttp.ClientError, TimeoutError."""
        headers = {
            "content-type": "application/proto",
            "connect-protocol-version": "1",
            "connect-timeout-ms": str(int(seconds * 1000)),
        }
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        async with self.http.post(
            f"{self.url}/{method}",
            data=request.SerializeToString(),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=seconds + 2),
        ) as response:
            body = await response.read()
            if response.status != 200:
                raise refused(response.status, body)
            return answer.FromString(body)


def refused(status: int, body: bytes) -> CallRefused:
    """The error a response body tells of, Connect's or a plain one."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return CallRefused(status, "unknown", "", body[:200].decode(errors="replace"))
    reason = ""
    for detail in told.get("details", []):
        debug = detail.get("debug") or {}
        reason = debug.get("reason", reason)
    return CallRefused(status, told.get("code", "unknown"), reason, told.get("message", ""))
