"""Access tokens: short-lived JWTs signed with Ed25519, verified by every service by itself."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chassis.auth import Caller, CredentialExpired, CredentialInvalid, Role, VisitorBinding
from chassis.caches import LeastRecent
from chassis.clock import Clock
from chassis.ids import WorkspaceId

ALGORITHM = "Ed25519"
"""EdDSA on curve 25519 under its own name (RFC 9864); no other is accepted."""
ISSUER = "inbox"
AUDIENCE = "inbox"
LIFETIME = timedelta(minutes=15)
LEEWAY = timedelta(seconds=5)
"""How far the clocks of two machines may differ."""
MAX_TOKEN_CHARACTERS = 4096
VERIFIED_KEPT = 20_000


class KeySource(Protocol):
    """Finds the public key a token names."""

    async def key(self, key_id: str) -> OKPKey | None:
        """The key, or None when there is none by that id."""
        ...


class RevocationCheck(Protocol):
    """Knows which credentials ended before their time."""

    def is_revoked(self, credential_id: str, subject_id: str, subject_version: int) -> bool:
        """Whether tokens of this credential, or of this state of its subject, are void."""
        ...


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token and when it ends."""

    token: str
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a token proves."""

    caller: Caller
    subject_version: int
    """Raised when the subject's rights change, so that older tokens can be told apart."""


def sign(
    key: OKPKey, caller: Caller, *, at: datetime, within: timedelta = LIFETIME, version: int = 0
) -> SignedToken:
    """A token for a caller. `key` is a private key with its `kid`."""
    expire_time = at + min(within, LIFETIME)
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": caller.id,
        "iat": int(at.timestamp()),
        "exp": int(expire_time.timestamp()),
        "role": caller.role.value,
        "name": caller.display_name,
        "sid": caller.credential_id,
        "ver": version,
    }
    if caller.workspace_id is not None:
        claims["workspace_id"] = caller.workspace_id
    if caller.visitor is not None:
        claims["channel_id"] = caller.visitor.channel_id
        claims["external_id"] = caller.visitor.external_id
        claims["conversation_id"] = caller.visitor.conversation_id
    header = {"alg": ALGORITHM, "kid": key.kid}
    return SignedToken(jwt.encode(header, claims, key, algorithms=[ALGORITHM]), expire_time)


def looks_like_token(credential: str) -> bool:
    """Whether it has a JWT's shape: three parts and an encoded JSON object first."""
    return credential.startswith("eyJ") and credential.count(".") == 2  # noqa: PLR2004


class TokenVerifier:
    """Verifies tokens; each signature once, its end and revocation every time."""

    def __init__(
        self, keys: KeySource, clock: Clock, revocations: RevocationCheck | None = None
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._revocations = revocations
        self._verified: LeastRecent[bytes, VerifiedToken] = LeastRecent(VERIFIED_KEPT)

    async def verify(self, token: str) -> Caller:
        """Who the token stands for. Raises: CredentialInvalid, CredentialExpired, Unavailable."""
        digest = hashlib.sha256(token.encode()).digest()
        verified = self._verified.get(digest)
        if verified is None:
            verified = await self._decode(token)
            self._verified.put(digest, verified)
        caller = verified.caller
        if self._clock.now().timestamp() >= caller.expires_at + LEEWAY.total_seconds():
            raise CredentialExpired
        if self._revocations is not None and self._revocations.is_revoked(
            caller.credential_id, caller.id, verified.subject_version
        ):
            raise CredentialInvalid
        return caller

    async def _decode(self, token: str) -> VerifiedToken:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise CredentialInvalid
        key = await self._keys.key(_key_id(token))
        if key is None:
            raise CredentialInvalid
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            raise CredentialInvalid from None
        return read_claims(claims, self._clock.now())


def read_claims(claims: dict[str, Any], now: datetime) -> VerifiedToken:
    """What a genuine token's claims prove. Raises: CredentialInvalid, CredentialExpired."""
    try:
        if claims["iss"] != ISSUER or claims["aud"] != AUDIENCE:
            raise CredentialInvalid
        expires_at = float(claims["exp"])
        if now.timestamp() >= expires_at + LEEWAY.total_seconds():
            raise CredentialExpired
        if expires_at > (now + LIFETIME + LEEWAY).timestamp():
            raise CredentialInvalid
        workspace = claims.get("workspace_id")
        caller = Caller(
            id=str(claims["sub"]),
            role=Role(claims["role"]),
            workspace_id=WorkspaceId(str(UUID(workspace))) if workspace else None,
            display_name=str(claims.get("name", "")),
            credential_id=str(claims.get("sid", "")),
            expires_at=expires_at,
            visitor=_visitor(claims),
        )
        if (caller.visitor is None) == (caller.role is Role.VISITOR):
            raise CredentialInvalid
        return VerifiedToken(caller, int(claims.get("ver", 0)))
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        raise CredentialInvalid from None


def _visitor(claims: dict[str, Any]) -> VisitorBinding | None:
    if "conversation_id" not in claims:
        return None
    return VisitorBinding(
        channel_id=str(UUID(claims["channel_id"])),
        external_id=str(claims["external_id"]),
        conversation_id=str(UUID(claims["conversation_id"])),
    )


def _key_id(token: str) -> str:
    head = token.split(".", 1)[0]
    try:
        header = orjson.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        if header["alg"] != ALGORITHM or not isinstance(header["kid"], str):
            raise CredentialInvalid
        return header["kid"]
    except (ValueError, KeyError, TypeError):
        raise CredentialInvalid from None
