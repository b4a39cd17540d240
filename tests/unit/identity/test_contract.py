"""IdentityService's handlers as gRPC sees them, through grpcio-testing."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any, cast

import grpc
import grpc_testing
import pytest
from argon2 import PasswordHasher
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from chassis.database import Database
from chassis.secrets import MasterKeys
from inbox.error import v1 as error_v1
from inbox.identity import v1
from inbox.identity.v1 import identity_service_pb2
from services.identity.actions.ports import Ports
from services.identity.actions.sign_in import SignInLimits
from services.identity.actions.signing_keys import SigningKeys
from services.identity.actions.tickets import Tickets
from services.identity.passwords import Passwords
from services.identity.service import IdentityService
from tests.fakes import FakeClock
from tests.grpc_testing_adapter import Adapter

SERVICE = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"]
UUID = "0192f000-0000-7000-8000-000000000001"


def a_service() -> IdentityService:
    """Without a database: whoever passes the checks of a request would find none."""
    clock = FakeClock()
    nowhere = cast("Database", None)
    master_keys = MasterKeys("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    ports = Ports(
        app=nowhere,
        worker=nowhere,
        clock=clock,
        passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        signing_keys=SigningKeys(nowhere, master_keys, clock),
        master_keys=master_keys,
        is_service_key=lambda _: False,
        wake_relay=lambda: None,
        public_url="http://inbox.test",
    )
    return IdentityService(ports, SignInLimits(clock), Tickets(ports))


@pytest.fixture
def server() -> Iterator[Any]:
    with Adapter(a_service(), SERVICE) as adapter:
        yield adapter.server()


def call(server: Any, method: str, request: Any) -> tuple[Any, grpc.StatusCode, str]:
    """The response, the status code, and the reason of a refusal."""
    rpc = server.invoke_unary_unary(SERVICE.methods_by_name[method], (), request, 5)
    response, trailing, code, _ = rpc.termination()
    reason = ""
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            reason = _reason(value)
    return response, code, reason


def _reason(details: bytes) -> str:
    info = ErrorInfo()
    Status.FromString(details).details[0].Unpack(info)
    reason: str = info.reason
    return reason


def test_on_its_own_grpcio_testing_takes_an_unawaited_coroutine_for_success() -> None:
    """Why there is an adapter: the handler below refuses, and the plain tool reports OK."""
    plain = grpc_testing.server_from_dictionary(
        {SERVICE: a_service()}, grpc_testing.strict_real_time()
    )
    refused = v1.SignInRequest()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "… was never awaited"
        response, code, _ = call(plain, "SignIn", refused)
        is_coroutine = inspect.iscoroutine(response)
        response.close()

    assert is_coroutine
    assert code is grpc.StatusCode.OK


def test_the_adapter_sees_the_refusal(server: Any) -> None:
    _, code, reason = call(server, "SignIn", v1.SignInRequest())

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


def test_the_key_set_is_json(server: Any) -> None:
    response, code, _ = call(server, "GetJwks", v1.GetJwksRequest())

    assert code is grpc.StatusCode.OK
    assert response.jwks_json == '{"keys":[]}'


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("SignIn", v1.SignInRequest(password=v1.PasswordCredential(email="a@b.c"))),
        ("CreateWorkspace", v1.CreateWorkspaceRequest(request_id="x")),
        ("CreateWorkspace", v1.CreateWorkspaceRequest(request_id=UUID)),
        (
            "CreateWorkspace",
            v1.CreateWorkspaceRequest(
                request_id=UUID, display_name="x", owner_email="nobody", owner_display_name="x"
            ),
        ),
        (
            "CreateWorkspace",
            v1.CreateWorkspaceRequest(
                request_id=UUID,
                display_name="x",
                time_zone="../../etc/passwd",
                owner_email="a@b.c",
                owner_display_name="x",
            ),
        ),
        ("AcceptInvite", v1.AcceptInviteRequest()),
        ("ExchangeToken", v1.ExchangeTokenRequest()),
    ],
)
def test_a_bad_request_is_refused_before_anything_else(
    server: Any, method: str, request_: Any
) -> None:
    _, code, reason = call(server, method, request_)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "request_",
    [
        v1.ExchangeTokenRequest(api_key="ik_x.y"),
        v1.ExchangeTokenRequest(session_token="is_"),
        v1.ExchangeTokenRequest(ticket="nonsense"),
        v1.ExchangeTokenRequest(service_key="service.wrong"),
        v1.ExchangeTokenRequest(api_key=f"is_{UUID}.{'x' * 43}"),
    ],
)
def test_a_credential_that_cannot_be_one_of_ours_is_invalid(server: Any, request_: Any) -> None:
    _, code, reason = call(server, "ExchangeToken", request_)

    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID")


@pytest.mark.parametrize("method", [method.name for method in SERVICE.methods])
def test_every_method_refuses_a_caller_it_does_not_know_or_a_request_it_cannot_read(
    server: Any, method: str
) -> None:
    """No method answers an empty request of nobody, but for the public key set."""
    descriptor = SERVICE.methods_by_name[method]
    request = getattr(v1, descriptor.input_type.name)()

    _, code, reason = call(server, method, request)

    if method == "GetJwks":
        assert code is grpc.StatusCode.OK
    else:
        assert code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED}
        assert f"REASON_{reason}" in error_v1.Reason.keys()  # noqa: SIM118 - not a dict
