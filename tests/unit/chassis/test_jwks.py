"""The cache of identity's public keys."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import orjson
import pytest
from joserfc.jwk import OKPKey

from chassis.errors import TemporarilyUnavailable
from chassis.jwks import JwksCache, read_key_set
from tests.fakes import FakeClock, settle


class Identity:
    """Answers with a key set, counts, and can be away."""

    def __init__(self) -> None:
        self.keys = [OKPKey.generate_key("Ed25519", {"kid": "first"})]
        self.is_away = False
        self.asked = 0

    async def key_set(self) -> str:
        self.asked += 1
        if self.is_away:
            raise TemporarilyUnavailable(part="identity")
        keys = [key.as_dict(private=False) for key in self.keys]
        return orjson.dumps({"keys": keys}).decode()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
def cache(identity: Identity, clock: FakeClock) -> JwksCache:
    return JwksCache(identity.key_set, clock)


async def test_a_key_is_fetched_once(cache: JwksCache, identity: Identity) -> None:
    for _ in range(3):
        assert await cache.key("first") is not None

    assert identity.asked == 1


async def test_a_new_key_is_found_and_unknown_ones_do_not_ask_without_end(
    cache: JwksCache, identity: Identity, clock: FakeClock
) -> None:
    await cache.key("first")
    identity.keys.append(OKPKey.generate_key("Ed25519", {"kid": "second"}))
    clock.advance(timedelta(seconds=2))

    assert await cache.key("second") is not None
    for number in range(100):
        assert await cache.key(f"made-up-{number}") is None
    assert identity.asked == 2


async def test_known_keys_go_on_while_identity_is_away(
    cache: JwksCache, identity: Identity, clock: FakeClock
) -> None:
    await cache.key("first")
    identity.is_away = True
    clock.advance(timedelta(minutes=10))

    assert await cache.key("first") is not None
    with pytest.raises(TemporarilyUnavailable):
        await cache.key("second")


async def test_a_key_taken_out_of_the_set_is_forgotten(
    cache: JwksCache, identity: Identity, clock: FakeClock
) -> None:
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(cache.run())
        await settle()
        identity.keys = [OKPKey.generate_key("Ed25519", {"kid": "second"})]
        clock.advance(timedelta(minutes=5))
        await settle()
        keeping.cancel()

    assert await cache.key("first") is None
    assert await cache.key("second") is not None


def test_keys_of_other_kinds_in_the_set_are_passed_over() -> None:
    own = OKPKey.generate_key("Ed25519", {"kid": "own"}).as_dict(private=False)
    others = [{"kty": "RSA", "kid": "a", "n": "x", "e": "AQAB"}, {"kty": "oct", "k": "x"}, {}]

    assert list(read_key_set(orjson.dumps({"keys": [*others, own]}).decode())) == ["own"]
