"""The built web client: its files, and the headers that keep pages safe and caches right.

Files under assets/ carry a hash in their name and never change. Pages are asked for again each
time. The policy allows our own scripts only; an inline script or style that the build put into a
page is allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.embedding import Embedding

INDEX = "index.html"
CHAT = "chat.html"
ASSETS = "assets"
IMMUTABLE = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"
SHORT = "public, max-age=300"
INLINE = re.compile(rb"<(script|style)(?![^>]*\ssrc=)[^>]*>(.+?)</\1>", re.DOTALL | re.IGNORECASE)
SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
NOT_BUILT = "the web client is not built here; the interfaces work without it\n"


@dataclass(frozen=True, slots=True)
class _Page:
    """One HTML file and the hashes of what it has inline."""

    body: bytes
    scripts: tuple[str, ...]
    styles: tuple[str, ...]
    changed_at: float


class Static:
    """Serves a folder."""

    def __init__(self, root: Path | None, public_url: str, embedding: Embedding) -> None:
        self._root = root.resolve() if root else None
        self._socket_origin = public_url.replace("http", "ws", 1)
        self._embedding = embedding
        self._pages: dict[str, _Page] = {}

    async def any_path(self, request: web.Request) -> web.StreamResponse:
        """A file, or the client's page for every path that is none."""
        relative = request.path.lstrip("/")
        file = self._file(relative)
        if file is not None and file.suffix != ".html":
            return web.FileResponse(file, headers=_file_headers(relative))
        looks_like_a_file = "." in relative.rsplit("/", 1)[-1]
        if file is None and looks_like_a_file:
            return web.Response(status=404, text="there is no such file\n")
        if relative == CHAT:
            # Without a channel in its address it has nothing to show.
            return web.Response(status=404, text="the chat box is at /chat/<channel id>\n")
        return self._page(INDEX, frame_ancestors=())

    async def chat(self, request: web.Request) -> web.Response:
        """The customers' chat box, which the channel's sites may embed."""
        sites = await self._embedding.sites(request.match_info["channel_id"])
        return self._page(CHAT, frame_ancestors=("'self'", *sites))

    def _file(self, relative: str) -> Path | None:
        """A file of the folder; nothing outside of it, whatever the path says."""
        if self._root is None or not relative or "\0" in relative:
            return None
        file = (self._root / relative).resolve()
        return file if file.is_relative_to(self._root) and file.is_file() else None

    def _page(self, name: str, *, frame_ancestors: Iterable[str]) -> web.Response:
        page = self._read(name)
        if page is None:
            return web.Response(status=404, text=NOT_BUILT)
        ancestors = " ".join(frame_ancestors)
        headers = {
            **SAFE_HEADERS,
            "cache-control": ALWAYS_ASK,
            "content-security-policy": self._policy(page, ancestors or "'none'"),
        }
        if not ancestors:
            headers["x-frame-options"] = "DENY"
        return web.Response(
            body=page.body, content_type="text/html", charset="utf-8", headers=headers
        )

    def _read(self, name: str) -> _Page | None:
        file = self._file(name)
        if file is None:
            return None
        changed_at = file.stat().st_mtime
        known = self._pages.get(name)
        if known is None or known.changed_at != changed_at:
            known = self._pages[name] = _parse(file.read_bytes(), changed_at)
        return known

    def _policy(self, page: _Page, ancestors: str) -> str:
        return "; ".join(
            (
                "default-src 'none'",
                " ".join(("script-src 'self'", *page.scripts)),
                " ".join(("style-src 'self'", *page.styles)),
                "img-src 'self' blob: data:",
                "media-src 'self' blob:",
                "font-src 'self'",
                # Older browsers do not count a WebSocket of the same host as 'self'.
                f"connect-src 'self' {self._socket_origin}",
                "manifest-src 'self'",
                "worker-src 'self'",
                "base-uri 'none'",
                "form-action 'self'",
                f"frame-ancestors {ancestors}",
            )
        )


def _file_headers(relative: str) -> dict[str, str]:
    if relative.startswith(f"{ASSETS}/"):
        return {**SAFE_HEADERS, "cache-control": IMMUTABLE}
    # embed.js among others: sites that embed the box load it from another origin.
    return {
        **SAFE_HEADERS,
        "cache-control": SHORT,
        "cross-origin-resource-policy": "cross-origin",
    }


def _parse(body: bytes, changed_at: float) -> _Page:
    hashes: dict[bytes, list[str]] = {b"script": [], b"style": []}
    for kind, content in INLINE.findall(body):
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        hashes[kind.lower()].append(f"'sha256-{digest}'")
    return _Page(body, tuple(hashes[b"script"]), tuple(hashes[b"style"]), changed_at)
