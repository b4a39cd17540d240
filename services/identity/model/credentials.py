"""What lets people and programs in: sessions, one-time tokens, API keys, signing keys."""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NewType
from uuid import UUID

from chassis.auth import Role
from chassis.errors import FieldInvalid
from chassis.ids import WorkspaceId, new_id, new_secret
from services.identity.model.people import MemberId

ApiKeyId = NewType("ApiKeyId", str)
SessionId = NewType("SessionId", str)

SESSION_LASTS = timedelta(days=30)
"""Without use; every day of use begins it anew."""
SESSION_TOUCHED_EVERY = timedelta(hours=1)
"""Using a session writes to the database no more often than this."""
SIGN_IN_LINK_LASTS = timedelta(hours=1)
INVITE_LASTS = timedelta(days=7)
SECRET_SHOWN_AGAIN_FOR = timedelta(days=1)
"""How long a repeated CreateApiKey still returns the secret."""
ENDED_KEPT_FOR = timedelta(days=30)
"""How long ended sessions and used links stay, for whoever asks what happened."""

SIGNING_KEY_SIGNS_FOR = timedelta(days=30)
NEXT_KEY_MADE_AHEAD = timedelta(days=1)
"""A key is public this long before it signs, so no verifier meets it unprepared."""
VERIFIES_ON_FOR = timedelta(hours=1)
"""Longer than any token lives."""

SESSION_PREFIX = "is"
API_KEY_PREFIX = "ik"
LINK_PREFIX = "il"
TOKEN = re.compile(
    r"([a-z]{2})_([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})"
)

ROLES_OF_KEYS = frozenset({Role.OWNER, Role.AGENT, Role.READ_ONLY, Role.BOT, Role.SERVICE})


@dataclass(frozen=True, slots=True)
class SecretToken:
    """A credential's public id and its secret half."""

    id: str
    secret: str = field(repr=False)

    @classmethod
    def fresh(cls) -> SecretToken:
        """One that nobody has."""
        return cls(new_id(), new_secret())

    @classmethod
    def parse(cls, prefix: str, token: str) -> SecretToken | None:
        """Read `<prefix>_<id>.<secret>`; None when it is not one."""
        match = TOKEN.fullmatch(token)
        if match is None or match[1] != prefix:
            return None
        return cls(str(UUID(match[2])), match[3])

    def text(self, prefix: str) -> str:
        """As it is handed out."""
        return f"{prefix}_{self.id}.{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is stored. 256 random bits need no slow hash: there is nothing to guess."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, digest: bytes) -> bool:
        """Compare in a time that tells nothing."""
        return hmac.compare_digest(self.digest, digest)


class OneTimeKind(enum.Enum):
    """What a one-time token is for."""

    SIGN_IN_LINK = "sign_in_link"
    INVITE = "invite"
    TICKET = "ticket"
    """Of releases that kept tickets as rows; none is made any more."""


LASTS = {
    OneTimeKind.SIGN_IN_LINK: SIGN_IN_LINK_LASTS,
    OneTimeKind.INVITE: INVITE_LASTS,
}


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """Something that lets its holder in once."""

    id: str
    workspace_id: WorkspaceId
    kind: OneTimeKind
    subject_id: str
    """The member."""
    digest: bytes = field(repr=False)
    create_time: datetime
    expire_time: datetime
    use_time: datetime | None = None

    def is_good(self, kind: OneTimeKind, now: datetime) -> bool:
        """Whether it still lets somebody in."""
        return self.kind is kind and self.use_time is None and now < self.expire_time


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that signed in."""

    id: SessionId
    workspace_id: WorkspaceId
    member_id: MemberId
    digest: bytes = field(repr=False)
    create_time: datetime
    use_time: datetime
    expire_time: datetime
    end_time: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it lets its member in."""
        return self.end_time is None and now < self.expire_time

    def is_due(self, now: datetime) -> bool:
        """Whether this use should be written down."""
        return now - self.use_time >= SESSION_TOUCHED_EVERY


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A long-lived credential for programs."""

    id: ApiKeyId
    workspace_id: WorkspaceId
    display_name: str
    role: Role
    create_time: datetime
    expire_time: datetime | None = None
    revoke_time: datetime | None = None

    def has_expired(self, now: datetime) -> bool:
        """Whether its own end has come."""
        return self.expire_time is not None and now >= self.expire_time

    def revoked(self, at: datetime) -> ApiKey:
        """The key once somebody ended it."""
        return replace(self, revoke_time=at)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs access tokens for a while, and verifies them a little longer."""

    id: str
    sealed_private: bytes = field(repr=False)
    public_jwk: str
    create_time: datetime
    sign_from: datetime
    sign_until: datetime
    verify_until: datetime

    def signs(self, now: datetime) -> bool:
        """Whether tokens are signed with it."""
        return self.sign_from <= now < self.sign_until


def next_signing_span(keys: list[SigningKey], now: datetime) -> tuple[datetime, datetime] | None:
    """From when until when a key still has to be made; None while nothing is missing."""
    covered_until = max((key.sign_until for key in keys), default=now)
    if covered_until - now > NEXT_KEY_MADE_AHEAD:
        return None
    begin = max(covered_until, now)
    return begin, begin + SIGNING_KEY_SIGNS_FOR


def api_key_secret(mac: bytes) -> str:
    """The secret half of an API key, from a keyed digest of the request that made it."""
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def parse_role_of_key(role: Role | None) -> Role:
    """A role that a key can have. Raises: FieldInvalid."""
    if role is None or role not in ROLES_OF_KEYS:
        raise FieldInvalid(field="role", rule="must be owner, agent, read-only, bot or service")
    return role
