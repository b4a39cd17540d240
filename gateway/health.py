"""Whether this process lives, and whether it takes traffic."""

from __future__ import annotations

from aiohttp import web

from chassis import metrics


class Health:
    """Ready from the first moment of serving until the drain begins.

    A service that is away does not make the gateway unready: a typed error from here tells a
    client more than a closed door.
    """

    def __init__(self) -> None:
        self._is_ready = False

    @property
    def is_ready(self) -> bool:
        """Whether traffic is taken."""
        return self._is_ready

    def set_ready(self, *, is_ready: bool) -> None:
        """Take traffic, or no longer."""
        self._is_ready = is_ready
        metrics.READY.set(is_ready)

    async def alive(self, _: web.Request) -> web.Response:
        """Serve `/healthz`."""
        return web.Response(text="ok\n")

    async def ready(self, _: web.Request) -> web.Response:
        """Serve `/readyz`."""
        if self._is_ready:
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not ready\n")
