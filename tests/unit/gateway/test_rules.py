"""Small rules of the edge: close codes, methods, errors, origins, visitors' view, liveness."""

from __future__ import annotations

import grpc
import orjson
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2

from gateway.close_codes import CloseCode, ComeBack
from gateway.encodings import Encoding
from gateway.errors import HTTP_STATUS, EdgeError, connect_name, invalid
from gateway.liveness import Allowance
from gateway.methods import public_methods
from gateway.rooms import as_visitor_sees
from gateway.settings import origin_of, same_machine
from gateway.webhooks import KINDS
from inbox.messaging import v1 as messaging_v1


@pytest.mark.parametrize(
    ("number", "come_back"),
    [
        (1012, ComeBack.RESUME),
        (4408, ComeBack.RESUME),
        (4401, ComeBack.REFRESH),
        (4400, ComeBack.STAY_AWAY),
        (4403, ComeBack.STAY_AWAY),
        (4429, ComeBack.STAY_AWAY),
    ],
)
def test_each_close_code_says_whether_to_come_back(number: int, come_back: ComeBack) -> None:
    (code,) = [code for code in CloseCode if code == number]

    assert code.come_back is come_back
    assert code.meaning


def test_every_public_method_is_known_without_a_line_for_it() -> None:
    methods = public_methods()

    assert "/inbox.messaging.v1.MessagingService/SendMessage" in methods
    assert methods["/inbox.realtime.v1.RealtimeService/Watch"].is_streaming
    assert methods["/inbox.identity.v1.IdentityService/SignIn"].is_anonymous
    assert not methods["/inbox.identity.v1.IdentityService/GetSelf"].is_anonymous
    assert not [path for path in methods if path.startswith("/inbox.event.")]
    assert not [path for path in methods if "grpc." in path]


def test_every_grpc_code_has_its_http_status_and_its_connect_name() -> None:
    failures = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]

    assert set(HTTP_STATUS) == set(failures)
    assert connect_name(grpc.StatusCode.CANCELLED) == "canceled"
    assert connect_name(grpc.StatusCode.INVALID_ARGUMENT) == "invalid_argument"


def test_an_errors_details_pass_through_whatever_they_are() -> None:
    info, retry = AnyMessage(), AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(reason="RATE_LIMITED", domain="inbox"))
    retry.Pack(error_details_pb2.RetryInfo())
    error = EdgeError(
        code=grpc.StatusCode.RESOURCE_EXHAUSTED,
        reason="RATE_LIMITED",
        message="slow down",
        details=(info, retry),
    )

    shown = orjson.loads(error.body())

    assert error.status == 429
    assert [detail["type"] for detail in shown["details"]] == [
        "google.rpc.ErrorInfo",
        "google.rpc.RetryInfo",
    ]
    assert shown["details"][0]["debug"]["reason"] == "RATE_LIMITED"
    assert "=" not in shown["details"][0]["value"]


def test_an_error_without_a_reason_has_no_details() -> None:
    error = EdgeError(code=grpc.StatusCode.INTERNAL, reason="", message="")

    assert orjson.loads(error.body()) == {"code": "internal"}
    assert "field: rule" in str(invalid("field", "rule"))


def test_an_origin_is_a_scheme_a_host_and_a_port() -> None:
    assert origin_of("https://Shop.Example/") == "https://shop.example"
    assert origin_of("http://localhost:8080") == "http://localhost:8080"
    for wrong in ("shop.example", "ftp://x", "https://x/path", "https://u@x", "https://x?y"):
        with pytest.raises(ValueError, match="must be an origin"):
            origin_of(wrong)


def test_a_loopback_name_stands_for_all_of_them() -> None:
    assert "http://127.0.0.1:8080" in same_machine("http://localhost:8080")
    assert same_machine("https://inbox.example") == ("https://inbox.example",)


def test_the_first_subprotocol_we_know_is_chosen() -> None:
    assert Encoding.chosen_from(["chat", "inbox.v1.json", "inbox.v1.proto"]) is Encoding.JSON
    assert Encoding.chosen_from(["", "chat"]) is None


def test_every_kind_of_channel_has_a_word_for_the_path() -> None:
    assert KINDS["simulator"] == messaging_v1.CHANNEL_KIND_SIMULATOR
    assert "unspecified" not in KINDS


def test_twenty_frames_a_second_and_forty_at_once_are_allowed() -> None:
    allowance = Allowance(now=0.0)

    assert all(allowance.take(0.0) for _ in range(40))
    assert not allowance.take(0.0)
    steady = Allowance(now=0.0)
    assert all(steady.take(number / 20) for number in range(1000))


def message(kind: messaging_v1.AuthorKind.ValueType, **more: object) -> messaging_v1.Message:
    author = messaging_v1.Author(kind=kind, id="member-7", display_name="Ana")
    given = {"id": "m", "seq": 3, "text": "hola", "client_message_id": "c", "version": 2, **more}
    return messaging_v1.Message(author=author, **given)  # type: ignore[arg-type]


def test_a_visitor_sees_who_spoke_but_not_their_id() -> None:
    told = as_visitor_sees(
        message(
            messaging_v1.AUTHOR_KIND_MEMBER,
            delivery_status=messaging_v1.DELIVERY_STATUS_READ,
            failure=messaging_v1.DeliveryFailure(platform_code="131047"),
        )
    )

    assert told is not None
    assert told.author_kind == messaging_v1.VISITOR_AUTHOR_KIND_AGENT
    assert (told.text, told.seq, told.version) == ("hola", 3, 2)
    for hidden in (b"member-7", b"131047"):
        assert hidden not in told.SerializeToString()
    assert told.client_message_id == ""


def test_a_visitors_own_message_carries_their_id_for_it() -> None:
    told = as_visitor_sees(message(messaging_v1.AUTHOR_KIND_CUSTOMER))

    assert told is not None
    assert told.author_kind == messaging_v1.VISITOR_AUTHOR_KIND_SELF
    assert told.client_message_id == "c"


@pytest.mark.parametrize(
    "status",
    [
        messaging_v1.DELIVERY_STATUS_QUEUED,
        messaging_v1.DELIVERY_STATUS_SENDING,
        messaging_v1.DELIVERY_STATUS_REPORTED_FAILED,
    ],
)
def test_a_visitor_never_sees_what_was_not_handed_over(
    status: messaging_v1.DeliveryStatus.ValueType,
) -> None:
    assert as_visitor_sees(message(messaging_v1.AUTHOR_KIND_AI, delivery_status=status)) is None
