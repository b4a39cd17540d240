"""An endpoint that speaks the OpenAI chat API and does what a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MODEL = "double-1"


@dataclass
class Reply:
    """One answer of the model."""

    text: str = ""
    calls: Sequence[tuple[str, str]] = ()
    """Tools and their arguments, as text."""
    status: int = 200
    raw: bytes | None = None
    """Sent as it is, in place of a stream that makes sense."""
    hangs: bool = False
    input_tokens: int = 100
    output_tokens: int = 20


def tool(name: str, **arguments: str) -> Reply:
    return Reply(calls=[(name, json.dumps(arguments))])


@dataclass
class OpenAiDouble:
    """Gives its replies in turn; the last one again and again."""

    replies: list[Reply] = field(default_factory=lambda: [Reply("hello")])
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    cancelled_count: int = 0

    def messages(self, number: int = -1) -> list[dict[str, Any]]:
        """What the model was told."""
        told: list[dict[str, Any]] = self.asked[number]["messages"]
        return told

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.keys.append(request.headers["authorization"])
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply.status != 200:
            return web.json_response({"error": {"message": "no"}}, status=reply.status)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        if reply.raw is not None:
            await response.write(reply.raw)
            return response
        try:
            for chunk in _chunks(reply):
                await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            if reply.hangs:
                await asyncio.sleep(60)
        except (asyncio.CancelledError, ConnectionError):
            self.cancelled_count += 1
            raise
        await response.write(b"data: [DONE]\n\n")
        return response


def _chunks(reply: Reply) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"content": part} for part in _halves(reply.text)]
    for index, (name, arguments) in enumerate(reply.calls):
        named = {"index": index, "id": f"call-{index}", "type": "function"}
        deltas.append({"tool_calls": [named | {"function": {"name": name, "arguments": ""}}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
            for part in _halves(arguments)
        ]
    usage = {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }
    return [
        *({"choices": [{"index": 0, "delta": delta}]} | _head() for delta in deltas),
        {"choices": [], "usage": usage} | _head(),
    ]


def _head() -> dict[str, Any]:
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [part for part in (text[:middle], text[middle:]) if part]


@asynccontextmanager
async def openai_double(*replies: Reply) -> AsyncIterator[OpenAiDouble]:
    """Serve it on a loopback port for the length of the block."""
    double = OpenAiDouble(list(replies) or [Reply("hello")])
    app = web.Application()
    app.router.add_post("/v1/chat/completions", double.complete)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    double.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield double
    finally:
        await runner.cleanup()
