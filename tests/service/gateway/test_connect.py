"""The Connect protocol through a real gateway to a real gRPC server."""

from __future__ import annotations

import base64
import gzip
import io
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2

from inbox.identity import v1 as identity_v1
from tests.service.gateway.doubles import SESSION

if TYPE_CHECKING:
    import aiohttp

    from tests.service.gateway.suite_double import Services

GET_SELF = "/inbox.identity.v1.IdentityService/GetSelf"
SIGN_IN = "/inbox.identity.v1.IdentityService/SignIn"
PROTO = {"content-type": "application/proto", "authorization": "Bearer someone"}
JSON = {"content-type": "application/json", "authorization": "Bearer someone"}


def error_info(body: dict[str, Any]) -> error_details_pb2.ErrorInfo:
    """As a client reads it: base64 without padding."""
    (detail,) = body["details"]
    assert detail["type"] == "google.rpc.ErrorInfo"
    value = detail["value"]
    return error_details_pb2.ErrorInfo.FromString(base64.b64decode(value + "=" * (-len(value) % 4)))


async def test_a_binary_call_reaches_the_service_and_comes_back(
    program: aiohttp.ClientSession,
) -> None:
    async with program.post(GET_SELF, data=b"", headers=PROTO) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/proto"
        self_ = identity_v1.GetSelfResponse.FromString(await answer.read())

    assert self_.subject.id == "Bearer someone"


async def test_a_json_call_gives_the_same_content(program: aiohttp.ClientSession) -> None:
    async with program.post(GET_SELF, data=b"{}", headers=JSON) as answer:
        assert answer.status == 200
        assert (await answer.json())["subject"]["id"] == "Bearer someone"


async def test_a_packed_body_is_unpacked(program: aiohttp.ClientSession) -> None:
    body = gzip.compress(b'{"password": {"email": "a@b.c", "password": "right"}}')

    async with program.post(
        SIGN_IN, data=body, headers=JSON | {"content-encoding": "gzip"}
    ) as answer:
        assert answer.status == 200
        assert (await answer.json())["sessionToken"] == SESSION


async def test_a_refusal_keeps_its_code_reason_and_values(
    program: aiohttp.ClientSession, services: Services
) -> None:
    services.identity.refusal = grpc.StatusCode.NOT_FOUND, "WORKSPACE_NOT_FOUND"

    async with program.post(GET_SELF, data=b"", headers=PROTO) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/json"
        body = await answer.json()

    assert body["code"] == "not_found"
    assert body["message"] == "about WORKSPACE_NOT_FOUND"
    info = error_info(body)
    assert (info.reason, info.domain, dict(info.metadata)) == (
        "WORKSPACE_NOT_FOUND",
        "inbox",
        {"id": "7"},
    )


async def test_a_service_that_is_away_is_named_without_its_address(
    program: aiohttp.ClientSession, services: Services
) -> None:
    await services.stop()

    within = {"connect-timeout-ms": "200"}
    async with program.post(GET_SELF, data=b"", headers=PROTO | within) as answer:
        assert answer.status == 504
        body = await answer.json()

    assert body["code"] == "deadline_exceeded"
    assert error_info(body).reason == "TEMPORARILY_UNAVAILABLE"
    assert services.address not in str(body)


@pytest.mark.parametrize("millis", ["0", "50"])
async def test_a_deadline_is_kept(
    program: aiohttp.ClientSession, services: Services, millis: str
) -> None:
    services.identity.delay_seconds = 5

    async with program.post(
        GET_SELF, data=b"", headers=PROTO | {"connect-timeout-ms": millis}
    ) as answer:
        assert answer.status == 504
        assert (await answer.json())["code"] == "deadline_exceeded"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "reason"),
    [
        ("/inbox.identity.v1.IdentityService/Nothing", b"", PROTO, 404, "METHOD_NOT_FOUND"),
        ("/inbox.event.v1.EventLogService/ReadEvents", b"", PROTO, 404, "METHOD_NOT_FOUND"),
        ("/inbox.realtime.v1.RealtimeService/Watch", b"", PROTO, 501, "METHOD_NOT_FOUND"),
        (SIGN_IN, b"{", JSON, 400, "INVALID_ARGUMENT"),
        (SIGN_IN, b'{"nothing": 1}', JSON, 400, "INVALID_ARGUMENT"),
        (SIGN_IN, b'{"linkToken": 1}', JSON, 400, "INVALID_ARGUMENT"),
        (SIGN_IN, b"[" * 200_000, JSON, 400, "INVALID_ARGUMENT"),
        (SIGN_IN, b"\xff\xfe", JSON, 400, "INVALID_ARGUMENT"),
        (SIGN_IN, b"x" * (4 * 1024 * 1024 + 1), PROTO, 413, "TOO_LARGE"),
        (SIGN_IN, b"{}", JSON | {"connect-timeout-ms": "soon"}, 400, "INVALID_ARGUMENT"),
        (SIGN_IN, b"{}", JSON | {"connect-protocol-version": "2"}, 400, "INVALID_ARGUMENT"),
        (SIGN_IN, b"{}", JSON | {"content-encoding": "compress"}, 501, "INVALID_ARGUMENT"),
        (SIGN_IN, b"no gzip", JSON | {"content-encoding": "gzip"}, 400, "INVALID_ARGUMENT"),
        (
            SIGN_IN,
            gzip.compress(b" " * 50_000_000, compresslevel=1),
            JSON | {"content-encoding": "gzip"},
            413,
            "TOO_LARGE",
        ),
    ],
)
async def test_a_bad_call_is_told_what_is_wrong(
    program: aiohttp.ClientSession,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    async with program.post(path, data=io.BytesIO(body), headers=headers) as answer:
        assert answer.status == status
        assert error_info(await answer.json()).reason == reason


async def test_only_post_and_only_known_types_are_taken(program: aiohttp.ClientSession) -> None:
    async with program.get(GET_SELF) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
    async with program.post(GET_SELF, data=b"", headers={"content-type": "text/plain"}) as answer:
        assert answer.status == 415
