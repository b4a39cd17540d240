"""An agent's socket, without a socket: every state, every input, time in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.protobuf import descriptor_pool, json_format

from gateway.actions import Close, Emit, Exchange, Join, Ping, Present, SendMessage
from gateway.close_codes import CloseCode
from gateway.encodings import Encoding
from gateway.frames import Opcode, Received
from gateway.lifecycle import State
from gateway.session import Admission, Session
from inbox.error import v1 as error_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from inbox.policy.v1 import policy_pb2
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from gateway.actions import Action

START = 1000.0


def shortest(low: float, high: float) -> float:
    return low


def new(encoding: Encoding = Encoding.PROTO) -> Session:
    return Session(encoding, START, shortest)


def binary(ref: int = 0, **body: object) -> Received:
    frame = realtime_v1.ClientFrame(ref=ref, **body)  # type: ignore[arg-type]
    return Received(Opcode.BINARY, frame.SerializeToString())


def hello(ticket: str = "t", position: str = "") -> Received:
    return binary(hello=realtime_v1.ClientHello(ticket=ticket, position=position))


def admission(
    role: int = policy_v1.ROLE_AGENT, member_id: str = "m1", seconds: float = 900.0
) -> Admission:
    return Admission(
        member_id=member_id,
        workspace_id="w1",
        role=role,
        display_name="Ana",
        credential_id="c1",
        access_token="token",
        expire_time=5000,
        expires_in_seconds=seconds,
    )


def live(role: int = policy_v1.ROLE_AGENT, seconds: float = 900.0) -> Session:
    session = new()
    session.receive(hello())
    session.admitted(admission(role, seconds=seconds), START)
    session.joined("p1", is_resumed=False)
    assert session.state is State.LIVE
    return session


def closed_with(actions: list[Action]) -> CloseCode:
    (close,) = actions
    assert isinstance(close, Close)
    assert close.reason
    return close.code


def emitted(actions: list[Action]) -> list[realtime_v1.ServerFrame]:
    frames = []
    for action in actions:
        assert isinstance(action, Emit)
        assert isinstance(action.message, realtime_v1.ServerFrame)
        frames.append(action.message)
    return frames


def test_hello_admission_and_join_lead_to_a_live_socket() -> None:
    session = new()

    assert session.receive(hello("t1", "p0")) == [Exchange("t1")]
    assert session.admitted(admission(), START + 1) == [Join("p0")]
    (frame,) = emitted(session.joined("p0", is_resumed=True))

    assert frame.position == "p0"
    assert frame.hello.is_resumed
    assert (frame.hello.member_id, frame.hello.workspace_id) == ("m1", "w1")
    assert frame.hello.token_expire_time.seconds == 5000


def test_a_fresh_socket_is_not_asked_to_load_twice() -> None:
    session = new()
    session.receive(hello())
    session.admitted(admission(), START)

    (frame,) = emitted(session.joined("p9", is_resumed=False))

    assert (frame.position, frame.hello.is_resumed) == ("p9", False)


def test_a_position_that_cannot_be_resumed_is_answered_with_resync_once() -> None:
    session = new()
    session.receive(hello(position="old"))
    session.admitted(admission(), START)

    first, second = emitted(session.joined("p9", is_resumed=False))

    assert not first.hello.is_resumed
    assert second.HasField("resync_required")
    assert (first.position, second.position) == ("p9", "p9")
    assert session.joined("p9", is_resumed=False) == []


@pytest.mark.parametrize(
    "first",
    [
        binary(),
        binary(presence=realtime_v1.PresenceUpdate()),
        binary(send_message=messaging_v1.SendMessageRequest()),
        Received(Opcode.BINARY, b"\xff\xff\xff"),
        Received(Opcode.TEXT, b"{}"),
    ],
)
def test_the_first_frame_must_be_a_hello(first: Received) -> None:
    assert closed_with(new().receive(first)) is CloseCode.MALFORMED


def test_a_hello_without_a_ticket_needs_one() -> None:
    assert closed_with(new().receive(hello(""))) is CloseCode.CREDENTIAL_ENDED


@pytest.mark.parametrize("is_temporary", [False, True])
def test_a_refused_ticket_ends_it(*, is_temporary: bool) -> None:
    session = new()
    session.receive(hello())

    code = closed_with(session.refused(error_v1.Error(message="no"), is_temporary=is_temporary))

    assert code is (CloseCode.RESTART if is_temporary else CloseCode.CREDENTIAL_ENDED)


@pytest.mark.parametrize("is_admitted", [False, True])
def test_nothing_may_come_between_hello_and_hello(*, is_admitted: bool) -> None:
    session = new()
    session.receive(hello())
    if is_admitted:
        session.admitted(admission(), START)

    actions = session.receive(binary(presence=realtime_v1.PresenceUpdate()))

    assert closed_with(actions) is CloseCode.MALFORMED


@pytest.mark.parametrize("again", [hello(), binary(ref=3), Received(Opcode.BINARY, b"\x0f")])
def test_a_live_socket_takes_no_second_hello_and_no_empty_or_broken_frame(again: Received) -> None:
    assert closed_with(live().receive(again)) is CloseCode.MALFORMED


@pytest.mark.parametrize(
    ("state", "seconds", "code"),
    [
        (State.NEW, 5, CloseCode.CREDENTIAL_ENDED),
        (State.ADMITTING, 5, CloseCode.RESTART),
        (State.JOINING, 15, CloseCode.RESTART),
    ],
)
def test_each_step_has_its_deadline(state: State, seconds: float, code: CloseCode) -> None:
    session = new()
    if state is not State.NEW:
        session.receive(hello())
    if state is State.JOINING:
        session.admitted(admission(), START)
    assert session.state is state

    assert session.tick(START + seconds - 0.1) == []
    assert closed_with(session.tick(START + seconds)) is code


def test_a_silent_client_is_pinged_and_then_given_up() -> None:
    session = live()

    assert session.tick(START + 19) == []
    assert session.tick(START + 20) == [Ping()]
    assert session.tick(START + 21) == []
    assert session.tick(START + 40) == [Ping()]
    assert closed_with(session.tick(START + 60)) is CloseCode.TOO_SLOW


def test_a_client_that_answers_lives_on() -> None:
    session = live()

    for second in range(20, 600, 20):
        assert session.tick(START + second) == [Ping()]
        session.heard(START + second)


def test_a_message_is_sent_and_its_outcome_told() -> None:
    session = live()
    request = messaging_v1.SendMessageRequest(text="hola")

    assert session.receive(binary(7, send_message=request)) == [SendMessage(7, request)]
    (frame,) = emitted(session.answer(7, realtime_v1.Ack(sent=messaging_v1.SendMessageResponse())))

    assert frame.ack.ref == 7
    assert frame.ack.HasField("sent")
    assert frame.position == ""
    assert session.answer(0, realtime_v1.Ack()) == []


@pytest.mark.parametrize("role", policy_v1.Role.values())
def test_the_roles_are_those_of_the_contract(role: int) -> None:
    send = roles_of("inbox.messaging.v1.MessagingService", "SendMessage")
    present = roles_of("inbox.realtime.v1.RealtimeService", "PublishPresence")
    session = live(role)

    sent = session.receive(binary(1, send_message=messaging_v1.SendMessageRequest()))
    told = session.receive(binary(2, presence=realtime_v1.PresenceUpdate()))

    assert isinstance(sent[0], SendMessage) is (role in send)
    people = present - {policy_v1.ROLE_SERVICE}
    assert isinstance(told[0], Present) is (role in people)
    for actions in (sent, told):
        if isinstance(actions[0], Emit):
            (frame,) = emitted(actions)
            assert frame.ack.error.reason == error_v1.REASON_ROLE_NOT_ALLOWED
            assert frame.ack.error.metadata["allowed_roles"]


def roles_of(service: str, method: str) -> set[int]:
    descriptor = descriptor_pool.Default().FindServiceByName(service)
    options = descriptor.methods_by_name[method].GetOptions()
    return set(options.Extensions[policy_pb2.method_policy].roles)


def test_presence_is_forwarded_and_acknowledged_when_asked() -> None:
    update = realtime_v1.PresenceUpdate(conversation_id="c1", is_typing=True)

    assert live().receive(binary(presence=update)) == [Present(update)]
    present, ack = live().receive(binary(9, presence=update))

    assert present == Present(update)
    assert emitted([ack])[0].ack.HasField("done")


def test_the_end_of_the_token_is_announced_a_minute_ahead_and_again() -> None:
    session = live(seconds=90)

    assert session.tick(START + 19) == []
    (frame, ping) = session.tick(START + 30)
    assert emitted([frame])[0].token_expiring.expire_time.seconds == 5000
    assert ping == Ping()
    session.heard(START + 30)
    assert session.tick(START + 40) == []
    assert len(emitted(session.tick(START + 45))) == 1


def test_a_token_that_is_not_renewed_ends_the_socket() -> None:
    session = live(seconds=90)
    session.heard(START + 80)

    assert closed_with(session.tick(START + 90)) is CloseCode.CREDENTIAL_ENDED


def test_a_renewed_token_counts_from_then_on() -> None:
    session = live(seconds=90)

    refresh = binary(4, token_refresh=realtime_v1.TokenRefresh(ticket="t2"))
    assert session.receive(refresh) == [Exchange("t2")]
    fresh = admission(role=policy_v1.ROLE_READ_ONLY, seconds=900)
    (frame,) = emitted(session.admitted(fresh, START + 50))

    assert frame.ack.ref == 4
    assert frame.ack.HasField("done")
    assert session.admission is fresh
    session.heard(START + 95)
    assert session.tick(START + 96) == [Ping()]


def test_somebody_elses_ticket_does_not_renew() -> None:
    session = live()
    session.receive(binary(token_refresh=realtime_v1.TokenRefresh(ticket="t2")))

    actions = session.admitted(admission(member_id="m2"), START)

    assert closed_with(actions) is CloseCode.FORBIDDEN


def test_a_refused_renewal_leaves_the_socket_open_until_its_end() -> None:
    session = live(seconds=90)
    session.receive(binary(4, token_refresh=realtime_v1.TokenRefresh(ticket="t2")))

    error = error_v1.Error(reason=error_v1.REASON_CREDENTIAL_INVALID)
    (frame,) = emitted(session.refused(error, is_temporary=False))

    assert frame.ack.error.reason == error_v1.REASON_CREDENTIAL_INVALID
    assert session.state is State.LIVE
    assert session.receive(binary(5, token_refresh=realtime_v1.TokenRefresh(ticket="t3"))) == [
        Exchange("t3")
    ]


def test_one_renewal_at_a_time() -> None:
    session = live()
    refresh = binary(4, token_refresh=realtime_v1.TokenRefresh(ticket="t2"))
    session.receive(refresh)

    (frame,) = emitted(session.receive(refresh))

    assert frame.ack.error.reason == error_v1.REASON_INVALID_ARGUMENT


def test_a_late_answer_of_identity_changes_nothing() -> None:
    for session in (new(), live()):
        before = session.state
        assert session.admitted(admission(), START) == []
        assert session.refused(error_v1.Error(), is_temporary=False) == []
        assert session.state is before


def test_after_the_end_nothing_happens_any_more() -> None:
    session = live()
    assert closed_with(session.close(CloseCode.FORBIDDEN, "revoked")) is CloseCode.FORBIDDEN

    assert session.is_closed
    assert session.close(CloseCode.RESTART, "again") == []
    assert session.receive(hello()) == []
    assert session.tick(START + 1000) == []
    assert session.admitted(admission(), START) == []
    assert session.joined("p", is_resumed=True) == []
    assert session.answer(3, realtime_v1.Ack()) == []
    assert session.leave(5) == []


def test_leaving_is_told_to_live_sockets_only() -> None:
    (frame,) = emitted(live().leave(250))

    assert frame.reconnect.delay_millis == 250
    assert new().leave(250) == []


def test_json_sockets_speak_proto3_json() -> None:
    session = new(Encoding.JSON)
    frame = realtime_v1.ClientFrame(hello=realtime_v1.ClientHello(ticket="t"))

    actions = session.receive(Received(Opcode.TEXT, json_format.MessageToJson(frame).encode()))

    assert actions == [Exchange("t")]
    for broken in (b"{", b"[]", b"\xff", b'{"nothing": 1}', b'{"hello": 1}', b"[" * 60_000):
        session = new(Encoding.JSON)
        assert closed_with(session.receive(Received(Opcode.TEXT, broken))) is CloseCode.MALFORMED
    assert closed_with(new(Encoding.JSON).receive(hello())) is CloseCode.MALFORMED


def test_an_error_text_never_quotes_what_was_sent() -> None:
    session = new(Encoding.JSON)

    (close,) = session.receive(Received(Opcode.TEXT, b'{"hello": {"ticket": "secret", "x": 1}}'))

    assert isinstance(close, Close)
    assert "secret" not in close.reason
