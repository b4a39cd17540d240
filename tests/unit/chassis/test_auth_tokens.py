"""Only genuine, present tokens of our own prove anything."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from chassis.auth import Caller, CredentialExpired, CredentialInvalid, Role, VisitorBinding
from chassis.auth_tokens import ALGORITHM, LIFETIME, TokenVerifier, sign
from chassis.ids import WorkspaceId, new_id
from chassis.jwks import FixedKeys
from chassis.revocations import Revocations
from tests.fakes import FakeClock

WORKSPACE = WorkspaceId(new_id())
KEY = OKPKey.generate_key("Ed25519", {"kid": "present"})
ANA = Caller(
    id=new_id(),
    role=Role.AGENT,
    workspace_id=WORKSPACE,
    display_name="Ana",
    credential_id=new_id(),
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def revocations(clock: FakeClock) -> Revocations:
    return Revocations(clock)


@pytest.fixture
def verifier(clock: FakeClock, revocations: Revocations) -> TokenVerifier:
    return TokenVerifier(FixedKeys(KEY), clock, revocations)


def claims(clock: FakeClock, **changed: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    present: dict[str, Any] = {
        "iss": "inbox",
        "aud": "inbox",
        "sub": ANA.id,
        "role": "agent",
        "workspace_id": WORKSPACE,
        "exp": now + 600,
    }
    present.update(changed)
    return {name: value for name, value in present.items() if value is not None}


def signed(content: dict[str, Any], key: Any = KEY, kid: str = "present") -> str:
    return jwt.encode({"alg": ALGORITHM, "kid": kid}, content, key, algorithms=[ALGORITHM])


async def test_a_signed_caller_comes_back_as_they_were(
    verifier: TokenVerifier, clock: FakeClock
) -> None:
    token = sign(KEY, ANA, at=clock.now()).token

    caller = await verifier.verify(token)

    assert replace(caller, expires_at=0.0) == ANA


async def test_a_visitor_stays_bound_to_their_conversation(
    verifier: TokenVerifier, clock: FakeClock
) -> None:
    binding = VisitorBinding(new_id(), "visitor-7", new_id())
    visitor = Caller("visitor-7", Role.VISITOR, WORKSPACE, visitor=binding)

    caller = await verifier.verify(sign(KEY, visitor, at=clock.now()).token)

    assert caller.visitor == binding


async def test_a_token_ends_after_fifteen_minutes_at_most(
    verifier: TokenVerifier, clock: FakeClock
) -> None:
    token = sign(KEY, ANA, at=clock.now(), within=timedelta(days=1)).token
    await verifier.verify(token)

    clock.advance(LIFETIME + timedelta(seconds=5))

    with pytest.raises(CredentialExpired):
        await verifier.verify(token)


async def test_a_clock_a_little_off_does_no_harm(verifier: TokenVerifier, clock: FakeClock) -> None:
    token = sign(KEY, ANA, at=clock.now() + timedelta(seconds=4)).token

    assert await verifier.verify(token)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "another"},
        {"aud": ["inbox", "another"]},
        {"iss": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"exp": 1e300},
        {"role": "admin"},
        {"role": None},
        {"role": ["owner"]},
        {"sub": None},
        {"workspace_id": "not-a-uuid"},
        {"workspace_id": 7},
        {"role": "visitor"},
        {"conversation_id": new_id()},
        {"conversation_id": "x", "channel_id": "y", "external_id": "z", "role": "visitor"},
    ],
)
async def test_claims_that_are_not_ours_prove_nothing(
    verifier: TokenVerifier, clock: FakeClock, change: dict[str, Any]
) -> None:
    with pytest.raises(CredentialInvalid):
        await verifier.verify(signed(claims(clock, **change)))


async def test_a_token_that_would_live_too_long_is_not_ours(
    verifier: TokenVerifier, clock: FakeClock
) -> None:
    in_an_hour = int(clock.now().timestamp()) + 3600

    with pytest.raises(CredentialInvalid):
        await verifier.verify(signed(claims(clock, exp=in_an_hour)))


async def test_another_key_or_an_unknown_one_is_refused(
    verifier: TokenVerifier, clock: FakeClock
) -> None:
    other = OKPKey.generate_key("Ed25519", {"kid": "present"})

    with pytest.raises(CredentialInvalid):
        await verifier.verify(signed(claims(clock), other))
    with pytest.raises(CredentialInvalid):
        await verifier.verify(signed(claims(clock), KEY, kid="unknown"))


async def test_no_other_algorithm_is_accepted(verifier: TokenVerifier, clock: FakeClock) -> None:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")

    unsigned = f"{part({'alg': 'none', 'kid': 'present'})}.{part(claims(clock))}."
    public = OctKey.import_key(orjson.dumps(KEY.as_dict(private=False)))
    hashed = jwt.encode(
        {"alg": "HS256", "kid": "present"}, claims(clock), public, algorithms=["HS256"]
    )
    no_kid = jwt.encode({"alg": ALGORITHM}, claims(clock), KEY, algorithms=[ALGORITHM])

    for token in (unsigned, hashed, no_kid):
        with pytest.raises(CredentialInvalid):
            await verifier.verify(token)


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "eyJ.eyJ.x", "é.é.é", "eyJhbGciOiJFZDI1NTE5In0.e30.x", "x" * 9999],
)
async def test_nonsense_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(CredentialInvalid):
        await verifier.verify(token)


async def test_a_changed_token_is_refused_even_after_the_genuine_one(
    verifier: TokenVerifier, clock: FakeClock
) -> None:
    token = sign(KEY, ANA, at=clock.now()).token
    await verifier.verify(token)
    head, body, signature = token.split(".")
    changed = bytearray(base64.urlsafe_b64decode(body + "=="))
    changed[10] ^= 1
    forged = base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("=")

    with pytest.raises(CredentialInvalid):
        await verifier.verify(f"{head}.{forged}.{signature}")


async def test_tokens_of_a_revoked_session_are_void_at_once(
    verifier: TokenVerifier, clock: FakeClock, revocations: Revocations
) -> None:
    token = sign(KEY, ANA, at=clock.now()).token
    await verifier.verify(token)

    revocations.end(ANA.credential_id)

    with pytest.raises(CredentialInvalid):
        await verifier.verify(token)


async def test_tokens_made_before_a_change_of_role_are_void_and_later_ones_good(
    verifier: TokenVerifier, clock: FakeClock, revocations: Revocations
) -> None:
    before = sign(KEY, ANA, at=clock.now(), version=3).token
    after = sign(KEY, ANA, at=clock.now(), version=4).token

    revocations.supersede(ANA.id, 4)

    with pytest.raises(CredentialInvalid):
        await verifier.verify(before)
    assert await verifier.verify(after)
