"""A watcher is never silently behind."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest

from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from inbox_client import Frame, InboxError, Resync, ResyncIgnored, Retries
from inbox_client.following import ChainBroken, Cuts, Following

IDLE = realtime_v1.Idle()


def created(text: str, position: str, previous: str) -> realtime_v1.ServerFrame:
    message = messaging_v1.Message(text=text)
    event = messaging_v1.MessageCreated(message=message)
    return realtime_v1.ServerFrame(position=position, previous=previous, message_created=event)


def test_events_come_with_what_happened_and_where() -> None:
    following = Following("a")

    event = following.read(created("hola", "b", "a"))

    assert isinstance(event, Frame)
    assert event.position == "b"
    assert isinstance(event.body, messaging_v1.MessageCreated)
    assert event.body.message.text == "hola"


def test_a_place_is_passed_when_its_event_was_handled() -> None:
    following = Following("a")
    following.read(created("hola", "b", "a"))

    assert following.position == "a"
    following.handled()
    assert following.position == "b"


def test_a_repeat_is_left_out() -> None:
    following = Following("b")

    assert following.read(created("hola", "b", "a")) is None
    assert following.position == "b"


def test_a_frame_that_follows_another_place_is_a_cut() -> None:
    with pytest.raises(ChainBroken):
        Following("a").read(created("hola", "c", "b"))


@pytest.mark.parametrize("body", [{"idle": IDLE}, {}], ids=["idle", "of a newer server"])
def test_what_says_nothing_moves_on(body: dict[str, realtime_v1.Idle]) -> None:
    following = Following("a")

    said = following.read(realtime_v1.ServerFrame(position="b", previous="a", **body))  # type: ignore[arg-type]

    assert said is None
    assert following.position == "b"


def test_presence_comes_without_a_place() -> None:
    following = Following("a")
    presence = realtime_v1.Presence(member_id="maria")

    event = following.read(realtime_v1.ServerFrame(presence=presence))
    following.handled()

    assert event == Frame("", presence)
    assert following.position == "a"


@pytest.mark.parametrize(
    ("position", "first"),
    [
        ("", realtime_v1.ServerFrame(position="b", idle=IDLE)),
        (
            "a",
            realtime_v1.ServerFrame(position="b", resync_required=realtime_v1.ResyncRequired()),
        ),
    ],
    ids=["from nowhere", "from a place that is gone"],
)
def test_a_resync_has_to_be_handled(position: str, first: realtime_v1.ServerFrame) -> None:
    following = Following(position)

    resync = following.read(first)

    assert isinstance(resync, Resync)
    with pytest.raises(ResyncIgnored, match="done"):
        following.handled()
    assert following.position == position, "a restart asks for it again"
    resync.done()
    following.handled()
    assert following.position == "b"


def test_a_watch_gives_up_when_it_was_cut_off_for_so_long() -> None:
    seconds = [0.0]
    cuts = Cuts(Retries(), timedelta(seconds=60), lambda: seconds[0])
    away = InboxError(grpc.StatusCode.UNAVAILABLE, "", "")

    cuts.pause_after(away)
    seconds[0] = 50
    cuts.pause_after(away)
    cuts.heard(created("hola", "b", "a"))
    seconds[0] = 100
    cuts.pause_after(away)
    seconds[0] = 161

    cuts.heard(realtime_v1.ServerFrame(presence=realtime_v1.Presence(member_id="maria")))
    with pytest.raises(InboxError):
        cuts.pause_after(away)


def test_a_watch_without_a_bound_goes_on() -> None:
    seconds = [0.0]
    cuts = Cuts(Retries(), None, lambda: seconds[0])

    for _ in range(100):
        assert cuts.pause_after(InboxError(grpc.StatusCode.UNAVAILABLE, "", "")) <= 5
        seconds[0] += 3600


def test_a_refused_watch_is_not_tried_again() -> None:
    with pytest.raises(InboxError):
        Cuts(Retries(), None).pause_after(InboxError(grpc.StatusCode.UNAUTHENTICATED, "", ""))
