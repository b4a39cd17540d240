"""Pages, until there are no more."""

from __future__ import annotations

import pytest

from inbox.messaging import v1
from inbox_client import Inbox, paging
from inbox_client.paging import History


def channels(request: v1.ListChannelsRequest) -> v1.ListChannelsResponse:
    """Three pages of one channel each."""
    number = int(request.page_token or "1")
    return v1.ListChannelsResponse(
        channels=[v1.Channel(id=str(number), display_name=str(request.page_size))],
        next_page_token=str(number + 1) if number < 3 else "",
    )


def test_pages_follow_each_other_and_the_request_stays_as_it_was() -> None:
    request = v1.ListChannelsRequest(page_size=1)
    with Inbox("localhost:1", "ik_1.x") as inbox:
        pages = list(inbox.pages(channels, request))

    assert [page.channels[0].id for page in pages] == ["1", "2", "3"]
    assert {page.channels[0].display_name for page in pages} == {"1"}
    assert request == v1.ListChannelsRequest(page_size=1)


class Thread:
    """So many messages, asked for as Inbox is asked."""

    def __init__(self, count: int) -> None:
        self.seqs = range(1, count + 1)

    def answer(self, asked: v1.ListMessagesRequest) -> v1.ListMessagesResponse:
        assert not (asked.before_seq and asked.after_seq)
        if asked.after_seq:
            found = [seq for seq in self.seqs if seq > asked.after_seq]
            page = found[: asked.page_size][::-1]
        else:
            before = asked.before_seq or len(self.seqs) + 1
            found = [seq for seq in self.seqs if seq < before]
            page = found[::-1][: asked.page_size]
        messages = [v1.Message(seq=seq) for seq in page]
        return v1.ListMessagesResponse(messages=messages, has_more=len(found) > len(page))

    def read(self, after_seq: int | None) -> list[int]:
        history, read = History("c", after_seq), []
        while history.asked is not None:
            read += [message.seq for message in history.take(self.answer(history.asked))]
        return read


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_a_history_is_read_once_in_either_direction(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "LARGEST_PAGE", 3)
    thread, all_of_it = Thread(count), list(range(1, count + 1))

    assert thread.read(None) == all_of_it[::-1]
    for after in range(count + 2):
        assert thread.read(after) == all_of_it[after:]
