"""Search: what people said is found by its words, whoever said it, however it is spelt."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.actions import search as search_action
from services.messaging.mapping.times import timestamp
from tests.fakes import FakeClock
from tests.service.messaging.desk import Desk
from tests.service.messaging.refusals import refused
from tests.service.messaging.searching import (
    Talk,
    found,
    highlighted,
    index,
    search,
)

NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
async def talk(desk: Desk, clock: FakeClock) -> Talk:
    return Talk(desk, clock, await desk.connect())


async def all_pages(desk: Desk, query: str, page_size: int) -> list[v1.FoundMessage]:
    messages: list[v1.FoundMessage] = []
    token = ""
    while True:
        page = await search(desk, query, page_size=page_size, page_token=token)
        messages += page.messages
        token = page.next_page_token
        if not token:
            return messages


async def test_a_message_is_found_by_a_word_and_says_where_it_is(talk: Talk) -> None:
    conversation_id = await talk.hears("hola", "¿Cuándo llega mi pedido?", "gracias")

    response = await search(talk.desk, "pedido")

    (message,) = response.messages
    (shown,) = [one for one in await talk.desk.history(conversation_id) if one.seq == message.seq]
    assert (message.message_id, message.conversation_id) == (shown.id, conversation_id)
    assert (message.channel_id, message.create_time) == (talk.channel_id, shown.create_time)
    assert (message.author, message.direction) == (shown.author, shown.direction)
    assert message.snippet == "¿Cuándo llega mi pedido?"
    assert highlighted(message) == ["pedido"]
    assert message.rank == v1.SEARCH_RANK_WORDS
    assert response.next_page_token == ""


async def test_a_found_message_is_shown_in_its_conversation_by_its_seq(talk: Talk) -> None:
    texts = [f"mensaje {number}" for number in range(1, 10)]
    conversation_id = await talk.hears(*texts)
    (message,) = (await search(talk.desk, "mensaje 5")).messages

    before = await talk.desk.maria.ListMessages(
        v1.ListMessagesRequest(
            conversation_id=conversation_id, before_seq=message.seq + 1, page_size=3
        )
    )
    after = await talk.desk.maria.ListMessages(
        v1.ListMessagesRequest(conversation_id=conversation_id, after_seq=message.seq, page_size=2)
    )

    around = [one.text for one in reversed([*after.messages, *before.messages])]
    assert around == ["mensaje 3", "mensaje 4", "mensaje 5", "mensaje 6", "mensaje 7"]


@pytest.mark.parametrize("query", ["acción", "ACCION", "Acción", "ac\u0301cion", "accio\u0301n"])
async def test_neither_case_nor_accents_matter_on_either_side(talk: Talk, query: str) -> None:
    await talk.hears("la Acción de hoy", "una accion más", "otra cosa")

    assert await found(talk.desk, query) == ["una accion más", "la Acción de hoy"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Größe M, bitte", "grosse"),
        ("Ελληνικά και ΆΛΛΑ", "αλλα"),
        ("заказ ещё не пришёл", "пришел"),
        ("東京タワーに行きたい", "タワー"),
        ("주문 확인 부탁드립니다", "확인"),
        ("मेरा ऑर्डर कहाँ है", "ऑर्डर"),
        ("أين طلبي؟ شُكْرًا", "شكرا"),
    ],
)
async def test_every_language_has_words(talk: Talk, text: str, query: str) -> None:
    await talk.hears(text)

    assert await found(talk.desk, query) == [text]


async def test_all_words_of_the_query_must_be_there_in_any_order(talk: Talk) -> None:
    await talk.hears("cambio de talla", "talla M, sin cambio", "un cambio", "una talla")

    assert await found(talk.desk, "talla cambio") == ["talla M, sin cambio", "cambio de talla"]


async def test_whole_words_come_first_then_parts_then_typos_and_each_newest_first(
    talk: Talk,
) -> None:
    await talk.hears("la factura", "dos facturas", "la fatcura", "prefactura", "otra factura")

    response = await search(talk.desk, "factura")

    assert [(one.snippet, v1.SearchRank.Name(one.rank)) for one in response.messages] == [
        ("otra factura", "SEARCH_RANK_WORDS"),
        ("la factura", "SEARCH_RANK_WORDS"),
        ("prefactura", "SEARCH_RANK_PARTS"),
        ("dos facturas", "SEARCH_RANK_PARTS"),
        ("la fatcura", "SEARCH_RANK_TYPOS"),
    ]
    assert [highlighted(one) for one in response.messages] == [
        ["factura"],
        ["factura"],
        ["prefactura"],
        ["facturas"],
        ["fatcura"],
    ]


async def test_a_word_is_found_by_what_was_typed_of_it_so_far_and_a_number_by_its_end(
    talk: Talk,
) -> None:
    await talk.hears("necesito la factura", "pedido MX-20267788")

    assert await found(talk.desk, "factu") == ["necesito la factura"]
    assert await found(talk.desk, "fac") == ["necesito la factura"]
    assert await found(talk.desk, "fa") == []
    assert await found(talk.desk, "7788") == ["pedido MX-20267788"]
    assert await found(talk.desk, "necesito factu") == ["necesito la factura"]


@pytest.mark.parametrize("typo", ["grcias", "graciias", "gracais", "gravias", "racias", "graciasx"])
async def test_one_typo_in_a_word_is_forgiven(talk: Talk, typo: str) -> None:
    await talk.hears("muchas gracias")

    assert await found(talk.desk, typo) == ["muchas gracias"]


async def test_a_number_with_another_digit_is_another_number(talk: Talk) -> None:
    await talk.hears("pedido 20267788")

    assert await found(talk.desk, "20267789") == []


async def test_a_long_text_is_shown_around_what_was_looked_for(talk: Talk) -> None:
    await talk.hears("🎉 " + "relleno " * 40 + "aquí está el tesoro escondido " + "final " * 40)

    (message,) = (await search(talk.desk, "tesoro")).messages

    assert message.snippet.startswith("…relleno")
    assert message.snippet.endswith("final…")
    assert len(message.snippet) <= 162
    assert highlighted(message) == ["tesoro"]


async def test_highlights_are_counted_as_a_browser_counts(talk: Talk) -> None:
    await talk.hears("🎉🎉 vale, vale")

    (message,) = (await search(talk.desk, "vale")).messages

    assert [(one.start, one.length) for one in message.highlights] == [(5, 4), (11, 4)]


async def test_a_search_stays_where_it_is_told_to(talk: Talk, clock: FakeClock) -> None:
    start = clock.now()
    elsewhere = Talk(talk.desk, clock, await talk.desk.connect())
    ana = await talk.hears("oferta uno", customer="ana")
    await talk.hears("oferta dos", customer="berta")
    await elsewhere.hears("oferta tres", customer="carla")
    await talk.answers(ana, "oferta cuatro")
    desk, minute = talk.desk, timedelta(minutes=1)

    assert await found(desk, "oferta", conversation_id=ana) == ["oferta cuatro", "oferta uno"]
    assert await found(desk, "oferta", channel_id=elsewhere.channel_id) == ["oferta tres"]
    assert await found(desk, "oferta", direction=v1.MESSAGE_DIRECTION_OUTBOUND) == ["oferta cuatro"]
    assert await found(desk, "oferta", since_time=timestamp(start + 2 * minute)) == [
        "oferta cuatro",
        "oferta tres",
    ]
    assert await found(desk, "oferta", until_time=timestamp(start + 2 * minute)) == [
        "oferta dos",
        "oferta uno",
    ]
    assert await found(desk, "ofer", conversation_id=ana, direction=1) == ["oferta uno"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 50])
async def test_pages_of_any_size_make_the_whole_list(talk: Talk, page_size: int) -> None:
    await talk.hears("plazo", "plazos", "plaxo", "plazo y plazos", "el plazo", "aplazo", "nada")
    whole = await search(talk.desk, "plazo")

    assert await all_pages(talk.desk, "plazo", page_size) == list(whole.messages)
    assert len(whole.messages) == 6


async def test_pages_repeat_and_miss_nothing_while_messages_arrive(talk: Talk) -> None:
    old = [f"aviso {number}" for number in range(9)]
    await talk.hears(*old)
    seen: list[str] = []
    token = ""

    while True:
        page = await search(talk.desk, "aviso", page_size=2, page_token=token)
        seen += [one.snippet for one in page.messages]
        token = page.next_page_token
        if not token:
            break
        await talk.hears("aviso nuevo", "avisos nuevos", customer="berta")

    assert [one for one in seen if one in old] == old[::-1]
    # What is of a lower rank comes after everything of the better one, however new it is.
    assert "aviso nuevo" not in seen
    assert len([one for one in seen if one == "avisos nuevos"]) == len(seen) - len(old)


async def test_what_takes_too_long_to_look_through_goes_on_with_the_next_page(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.hears("rojo y verde", *["rojo"] * 12, *["verde"] * 12, "verde y rojo")
    monkeypatch.setattr(search_action, "LOOK_AT", (3, 3))

    first = await search(talk.desk, "verde rojo")
    every = await all_pages(talk.desk, "verde rojo", 10)

    assert [one.snippet for one in first.messages] == ["verde y rojo"]
    assert first.next_page_token
    assert [one.snippet for one in every] == ["verde y rojo", "rojo y verde"]


@pytest.mark.parametrize("look_at", [(1,), (2, 2), (5, 5, 5), (64, 512)])
async def test_how_much_is_looked_at_changes_no_order(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, look_at: tuple[int, ...]
) -> None:
    await talk.hears(*(f"{'sol' * (1 + number % 3)} {number}" for number in range(20)), "sola")
    whole = await search(talk.desk, "sol", page_size=50)
    monkeypatch.setattr(search_action, "LOOK_AT", look_at)

    every = await all_pages(talk.desk, "sol", 4)

    assert every == list(whole.messages)
    assert len(every) == 21


async def test_texts_that_were_overwritten_leave_no_hole_in_the_pages(talk: Talk) -> None:
    await talk.hears(*(f"aviso {number}" for number in range(12)))
    async with talk.desk.means.worker.begin(talk.desk.workspace_id) as transaction:
        await transaction.raw.execute("UPDATE messages SET text = '' WHERE seq IN (3, 9, 10, 11)")

    every = await all_pages(talk.desk, "aviso", 2)

    assert [one.seq for one in every] == [12, 8, 7, 6, 5, 4, 2, 1]


async def test_only_what_was_said_is_found(talk: Talk) -> None:
    conversation_id = await talk.hears("un secreto")
    async with talk.desk.means.worker.begin(talk.desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "UPDATE messages SET author_kind = 'system' WHERE conversation_id = $1", conversation_id
        )
        await transaction.raw.execute(
            "DELETE FROM message_texts WHERE conversation_id = $1", conversation_id
        )
        await transaction.raw.execute("DELETE FROM message_words WHERE word = 'secreto'")
        await transaction.raw.execute("UPDATE text_index SET log_epoch = 'to walk again'")

    await index(talk.desk.means.worker)

    assert await found(talk.desk, "secreto") == []


async def test_a_search_says_how_new_it_is(talk: Talk, clock: FakeClock) -> None:
    await talk.hears("uno")
    caught_up = await search(talk.desk, "uno")
    now = clock.now()
    await talk.desk.customer_writes(talk.channel_id, "uno y dos")
    clock.advance(timedelta(minutes=1))
    behind = await search(talk.desk, "uno")
    await index(talk.desk.means.worker)
    again = await search(talk.desk, "uno")

    assert caught_up.indexed_up_to_time == timestamp(now)
    assert behind.indexed_up_to_time.ToNanoseconds() <= timestamp(now).ToNanoseconds()
    assert (len(behind.messages), len(again.messages)) == (1, 2)
    assert again.indexed_up_to_time == timestamp(clock.now())
    assert not again.is_rebuilding


async def test_another_workspace_finds_nothing_of_this_one(talk: Talk) -> None:
    conversation_id = await talk.hears("palabra clave")
    stranger = talk.desk.elsewhere(Role.OWNER)

    response = await stranger.SearchMessages(v1.SearchMessagesRequest(query="palabra"))

    assert list(response.messages) == []
    async with refused("CONVERSATION_NOT_FOUND", NOT_FOUND):
        await stranger.SearchMessages(
            v1.SearchMessagesRequest(query="palabra", conversation_id=conversation_id)
        )
    async with refused("CHANNEL_NOT_FOUND", NOT_FOUND):
        await stranger.SearchMessages(
            v1.SearchMessagesRequest(query="palabra", channel_id=talk.channel_id)
        )


async def test_a_token_of_one_search_is_none_of_another(talk: Talk) -> None:
    await talk.hears("uno dos", "uno dos")
    page = await search(talk.desk, "uno", page_size=1)

    async with refused("PAGE_TOKEN_INVALID", INVALID):
        await search(talk.desk, "dos", page_size=1, page_token=page.next_page_token)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"query": ""}, "INVALID_ARGUMENT"),
        ({"query": "x" * 201}, "INVALID_ARGUMENT"),
        ({"query": "🎉 …!"}, "QUERY_WITHOUT_WORDS"),
        ({"query": " \t"}, "QUERY_WITHOUT_WORDS"),
        ({"query": " ".join(f"w{number}" for number in range(17))}, "QUERY_TOO_MANY_WORDS"),
        ({"query": "x", "conversation_id": "nonsense"}, "INVALID_ARGUMENT"),
        ({"query": "x", "direction": 3}, "INVALID_ARGUMENT"),
        ({"query": "x", "page_size": -1}, "INVALID_ARGUMENT"),
        ({"query": "x", "page_token": "nonsense"}, "PAGE_TOKEN_INVALID"),
        ({"query": "x", "since_time": {"seconds": 10**15}}, "INVALID_ARGUMENT"),
        (
            {"query": "x", "since_time": {"seconds": 60}, "until_time": {"seconds": 60}},
            "INVALID_ARGUMENT",
        ),
    ],
)
async def test_what_cannot_be_looked_for_is_refused_with_the_way_out(
    desk: Desk, fields: dict[str, object], reason: str
) -> None:
    async with refused(reason, INVALID):
        await search(desk, **fields)  # type: ignore[arg-type]


async def test_a_conversation_that_is_not_there_is_not_searched(desk: Desk) -> None:
    async with refused("CONVERSATION_NOT_FOUND", NOT_FOUND):
        await search(desk, "x", conversation_id=new_id())
