"""Webhooks, the built web client, health: the rest of what is plain HTTP."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import grpc
import pytest
import yarl

from inbox.messaging import v1 as messaging_v1
from tests.service.gateway.doubles import CHANNEL, SERVICE_KEY

if TYPE_CHECKING:
    import aiohttp

    from gateway.process import Gateway
    from tests.service.gateway.suite_double import Services

WEBHOOK = f"/webhooks/simulator/{CHANNEL}"


async def test_a_webhook_call_is_handed_over_exactly_as_it_came(
    program: aiohttp.ClientSession, services: Services
) -> None:
    body = b'{"entry": \xff not even JSON'
    headers = {
        "X-Hub-Signature-256": "sha256=ab",
        "X-Forwarded-For": "10.0.0.1",
        "Authorization": "Bearer theirs",
        "Cookie": "a=b",
    }

    async with program.post(f"{WEBHOOK}?a=1", data=body, headers=headers) as answer:
        assert answer.status == 200

    (stored,) = services.channels.stored
    assert stored.body == body
    assert stored.channel_kind == messaging_v1.CHANNEL_KIND_SIMULATOR
    assert (stored.channel_id, stored.method) == (CHANNEL, "POST")
    assert dict(stored.query) == {"a": "1"}
    assert stored.headers["x-hub-signature-256"] == "sha256=ab"
    assert not {"x-forwarded-for", "authorization", "cookie"} & set(stored.headers)
    assert services.channels.credentials == [f"Bearer {SERVICE_KEY}"]


async def test_a_challenge_is_answered(program: aiohttp.ClientSession) -> None:
    async with program.get(f"{WEBHOOK}?hub.mode=subscribe&hub.challenge=42") as answer:
        assert (answer.status, await answer.text()) == (200, "42")


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        ((grpc.StatusCode.UNAUTHENTICATED, "WEBHOOK_SIGNATURE_INVALID"), 401),
        ((grpc.StatusCode.PERMISSION_DENIED, "WEBHOOK_SIGNATURE_INVALID"), 403),
        ((grpc.StatusCode.NOT_FOUND, "CHANNEL_NOT_FOUND"), 404),
        ((grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT"), 400),
        ((grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID"), 503),
        ((grpc.StatusCode.INTERNAL, "INTERNAL"), 503),
        ((grpc.StatusCode.UNAVAILABLE, "TEMPORARILY_UNAVAILABLE"), 503),
    ],
)
async def test_only_the_platforms_own_faults_are_answered_4xx(
    program: aiohttp.ClientSession,
    services: Services,
    refusal: tuple[grpc.StatusCode, str],
    status: int,
) -> None:
    services.channels.refusal = refusal

    async with program.post(WEBHOOK, data=b"{}") as answer:
        assert answer.status == status


async def test_with_messaging_away_the_platform_is_told_to_call_again(
    program: aiohttp.ClientSession, services: Services
) -> None:
    await services.stop()

    async with program.post(WEBHOOK, data=b"{}") as answer:
        assert answer.status == 503


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        (WEBHOOK, 1024 * 1024, 200),
        (WEBHOOK, 1024 * 1024 + 1, 413),
        (f"/webhooks/pigeon/{CHANNEL}", 1, 404),
        ("/webhooks/simulator/not-an-id", 1, 404),
    ],
)
async def test_webhooks_have_limits(
    program: aiohttp.ClientSession, path: str, size: int, status: int
) -> None:
    async with program.post(path, data=io.BytesIO(b"x" * size)) as answer:
        assert answer.status == status


async def test_pages_may_run_our_scripts_only_and_sit_in_no_frame(
    program: aiohttp.ClientSession,
) -> None:
    for path in ("/", "/c/0192f0c1", "/index.html"):
        async with program.get(path) as answer:
            assert answer.status == 200
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            policy = answer.headers["content-security-policy"]

    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert scripts.startswith("script-src 'self' 'sha256-")
    assert "unsafe" not in policy
    assert policy.endswith("frame-ancestors 'none'")


async def test_the_chat_box_may_be_embedded_by_the_channels_sites_only(
    program: aiohttp.ClientSession, services: Services
) -> None:
    services.web_chat.allowed_origins.append("https://x.example; script-src *")

    async with program.get(f"/chat/{CHANNEL}") as answer:
        assert "<title>chat</title>" in await answer.text()
        assert "x-frame-options" not in answer.headers
        policy = answer.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://shop.example")

    async with program.get("/chat/somewhere-else") as answer:
        assert answer.headers["content-security-policy"].endswith("frame-ancestors 'self'")


async def test_hashed_files_are_kept_for_ever_others_are_not(
    program: aiohttp.ClientSession,
) -> None:
    async with program.get("/assets/a-1.js") as answer:
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    async with program.get("/embed.js") as answer:
        assert answer.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    "path",
    ["/assets/gone.js", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt"],
)
async def test_what_is_not_there_is_not_found(program: aiohttp.ClientSession, path: str) -> None:
    async with program.get(program._base_url.join(_raw(path))) as answer:  # type: ignore[union-attr]
        assert answer.status == 404
        assert "secret" not in (await answer.text()).replace("secret.txt", "")


def _raw(path: str) -> yarl.URL:
    return yarl.URL(path, encoded=True)


async def test_health_and_metrics(program: aiohttp.ClientSession, gateway: Gateway) -> None:
    async with program.get("/healthz") as answer:
        assert answer.status == 200
    async with program.get("/readyz") as answer:
        assert answer.status == 200
    async with program.get("/metrics") as answer:
        assert "inbox_ready_state 1.0" in await answer.text()

    gateway.health.set_ready(is_ready=False)
    async with program.get("/readyz") as answer:
        assert answer.status == 503
