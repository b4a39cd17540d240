"""What a channel may be made of: settings as a person gives them, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from urllib.parse import urlsplit

from chassis.errors import FieldInvalid
from services.messaging.model.channel import (
    ChannelKind,
    ChannelSettings,
    SimulatorSettings,
    WebChatSettings,
)
from services.messaging.model.faults import ChannelKindUnsupported

MAX_GREETING = 280
MAX_ORIGINS = 50
MAX_ORIGIN_LENGTH = 255
MAX_URL_LENGTH = 500
MAX_SECRET_LENGTH = 4096
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
ACCOUNT = re.compile(r"[A-Za-z0-9+._@-]{1,64}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What lets us in at a platform, in the clear; it never leaves memory."""

    access_token: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    previous_webhook_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a platform takes our calls, over all conversations of a channel."""

    calls_per_second: float
    calls_at_once: float


RATES = {
    ChannelKind.WEB_CHAT: Rate(1000, 1000),
    ChannelKind.SIMULATOR: Rate(80, 80),
    ChannelKind.WHATSAPP: Rate(80, 80),
    ChannelKind.MESSENGER: Rate(40, 40),
    ChannelKind.INSTAGRAM: Rate(40, 40),
    ChannelKind.TELEGRAM: Rate(30, 30),
}
CAN_CONNECT = frozenset({ChannelKind.WEB_CHAT, ChannelKind.SIMULATOR})
"""Kinds that have an adapter."""


def refuse_unless_connectable(kind: ChannelKind) -> None:
    """Raises: ChannelKindUnsupported."""
    if kind not in CAN_CONNECT:
        raise ChannelKindUnsupported(kind=kind.value)


def checked_settings(kind: ChannelKind, settings: ChannelSettings | None) -> ChannelSettings:
    """The settings, if they are right for the kind. Raises: FieldInvalid."""
    if kind is ChannelKind.WEB_CHAT and settings is None:
        return WebChatSettings()
    match kind, settings:
        case ChannelKind.WEB_CHAT, WebChatSettings():
            return _checked_web_chat(settings)
        case ChannelKind.SIMULATOR, SimulatorSettings():
            return _checked_simulator(settings)
    raise FieldInvalid(field="settings", rule=f"must be those of a {kind.value} channel")


def merged_credentials(earlier: Credentials, given: Credentials) -> Credentials:
    """What is left out stays; a new webhook secret says itself which earlier one is still good."""
    return Credentials(
        access_token=given.access_token or earlier.access_token,
        webhook_secret=given.webhook_secret or earlier.webhook_secret,
        previous_webhook_secret=(
            given.previous_webhook_secret
            if given.webhook_secret
            else given.previous_webhook_secret or earlier.previous_webhook_secret
        ),
    )


def refuse_unless_usable(credentials: Credentials) -> None:
    """They travel in headers; the refusal never shows one. Raises: FieldInvalid."""
    for name in fields(credentials):
        value: str = getattr(credentials, name.name)
        is_printable_ascii = value.isascii() and value.isprintable()
        if len(value) > MAX_SECRET_LENGTH or not is_printable_ascii or value != value.strip():
            raise FieldInvalid(
                field=f"credentials.{name.name}",
                rule=f"must be at most {MAX_SECRET_LENGTH} printable ASCII characters without "
                "space around them",
            )


def checked_origin(value: str) -> str:
    """A site's origin, "https://shop.example". Raises: FieldInvalid."""
    field = "web_chat.allowed_origins"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise FieldInvalid(field=field, rule="must be origins") from None
    host = parts.hostname or ""
    plain = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    is_good = (
        parts.scheme in {"http", "https"}
        and bool(host)
        and len(value) <= MAX_ORIGIN_LENGTH
        and re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:]+", host) is not None
        and value.rstrip("/").lower() == plain
    )
    if not is_good:
        raise FieldInvalid(field=field, rule='must be origins like "https://shop.example"')
    return plain


def _checked_web_chat(settings: WebChatSettings) -> WebChatSettings:
    if len(settings.greeting) > MAX_GREETING:
        raise FieldInvalid(
            field="web_chat.greeting", rule=f"must have at most {MAX_GREETING} characters"
        )
    if settings.accent_color and not COLOR.fullmatch(settings.accent_color):
        raise FieldInvalid(field="web_chat.accent_color", rule='must look like "#2563eb"')
    if len(settings.allowed_origins) > MAX_ORIGINS:
        raise FieldInvalid(field="web_chat.allowed_origins", rule=f"at most {MAX_ORIGINS} sites")
    origins = tuple(dict.fromkeys(checked_origin(origin) for origin in settings.allowed_origins))
    return WebChatSettings(origins, settings.greeting, settings.accent_color.lower())


def _checked_simulator(settings: SimulatorSettings) -> SimulatorSettings:
    try:
        parts = urlsplit(settings.base_url)
        _ = parts.port
    except ValueError:
        raise FieldInvalid(field="simulator.base_url", rule="must be a URL") from None
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain
    if not is_good or len(settings.base_url) > MAX_URL_LENGTH:
        raise FieldInvalid(
            field="simulator.base_url", rule='must be a URL like "http://127.0.0.1:9000"'
        )
    if not ACCOUNT.fullmatch(settings.account_id):
        raise FieldInvalid(field="simulator.account_id", rule=f"must look like {ACCOUNT.pattern}")
    return SimulatorSettings(
        settings.base_url.rstrip("/"), settings.account_id, settings.is_idempotent
    )
