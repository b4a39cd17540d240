"""Identity's public keys, kept here: fetched at start, when old, and on an unknown key id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chassis.clock import Clock
from chassis.errors import TemporarilyUnavailable, Unavailable

REFRESH_EVERY = timedelta(minutes=5)
PAUSE_BETWEEN_FETCHES = timedelta(seconds=2)
"""However many tokens name unknown keys, identity is asked no more often than this."""
FETCH_WITHIN = timedelta(seconds=3)
MAX_KEYS = 32


def read_key_set(text: str) -> dict[str, OKPKey]:
    """Public signing keys by id; anything else in the set is passed over. Raises: ValueError."""
    keys: dict[str, OKPKey] = {}
    for entry in orjson.loads(text)["keys"][:MAX_KEYS]:
        if entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519" and entry.get("kid"):
            keys[entry["kid"]] = OKPKey.import_key(entry)
    return keys


class FixedKeys:
    """Keys that are at hand: in identity itself and in tests."""

    def __init__(self, *keys: OKPKey) -> None:
        self._keys = {str(key.kid): key for key in keys}

    async def key(self, key_id: str) -> OKPKey | None:
        """The key by that id."""
        return self._keys.get(key_id)


class JwksCache:
    """Keys of another process; goes on with what it has while that one is away."""

    def __init__(self, fetch: Callable[[], Awaitable[str]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, OKPKey] = {}
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._last_answer_failed = True

    @property
    def is_loaded(self) -> bool:
        """Whether any key is known: without one nobody can be let in."""
        return bool(self._keys)

    async def key(self, key_id: str) -> OKPKey | None:
        """The key by that id. Raises: TemporarilyUnavailable, when only identity could tell."""
        if key_id not in self._keys:
            await self._refresh()
        found = self._keys.get(key_id)
        if found is None and self._last_answer_failed:
            raise TemporarilyUnavailable(part="identity")
        return found

    async def run(self) -> None:
        """Keep the keys fresh for ever; a key taken out of the set is forgotten."""
        while True:
            await self._refresh()
            pause = REFRESH_EVERY if self.is_loaded else PAUSE_BETWEEN_FETCHES
            await self._clock.sleep(pause)

    async def _refresh(self) -> None:
        async with self._lock:
            since = self._clock.monotonic() - self._asked_at
            if since < PAUSE_BETWEEN_FETCHES.total_seconds():
                return
            try:
                async with asyncio.timeout(FETCH_WITHIN.total_seconds()):
                    self._keys = read_key_set(await self._fetch())
            except (Unavailable, TimeoutError, ValueError, KeyError, TypeError, JoseError):
                self._last_answer_failed = True
            else:
                self._last_answer_failed = False
            finally:
                self._asked_at = self._clock.monotonic()
