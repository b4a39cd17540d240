"""KnowledgeService over gRPC: articles, and what a search finds in them."""

from __future__ import annotations

import pytest

from chassis.auth import Role
from chassis.event_log import SnapshotEntity
from chassis.ids import new_id
from inbox.assistant import v1
from services.assistant.actions.snapshot import Snapshot
from services.assistant.model.articles import MAX_ARTICLES
from tests.service.assistant.desk import Desk
from tests.service.assistant.owner import Owner, assert_events_tell_everything, refusal
from tests.serving import Serving, new_workspace_id


async def test_an_article_is_written_read_changed_and_deleted(desk: Desk, owner: Owner) -> None:
    article = await owner.writes("Hours", "We open at nine.")
    assert (article.version, article.language) == (1, v1.ARTICLE_LANGUAGE_ENGLISH)

    got = await owner.knowledge.GetArticle(v1.GetArticleRequest(article_id=article.id))
    assert got.article == article
    changed = await owner.knowledge.UpdateArticle(
        v1.UpdateArticleRequest(article_id=article.id, request_id=new_id(), body="At ten.")
    )
    assert (changed.article.title, changed.article.body) == ("Hours", "At ten.")
    await assert_events_tell_everything(desk, owner)
    deleted = await owner.knowledge.DeleteArticle(
        v1.DeleteArticleRequest(article_id=article.id, request_id=new_id())
    )
    assert (deleted.article.is_deleted, deleted.article.version) == (True, 3)
    assert await owner.lists() == []
    reason, _ = await refusal(
        owner.knowledge.GetArticle(v1.GetArticleRequest(article_id=article.id))
    )
    assert reason == "ARTICLE_NOT_FOUND"
    await assert_events_tell_everything(desk, owner)


async def test_a_repeat_of_any_write_does_it_once(desk: Desk, owner: Owner) -> None:
    once, update, delete = new_id(), new_id(), new_id()
    first = await owner.writes("Hours", request_id=once)
    again = await owner.writes("Hours", request_id=once)
    assert first == again
    for _ in range(2):
        await owner.knowledge.UpdateArticle(
            v1.UpdateArticleRequest(article_id=first.id, request_id=update, body="now")
        )
    for _ in range(2):
        await owner.knowledge.DeleteArticle(
            v1.DeleteArticleRequest(article_id=first.id, request_id=delete)
        )
    setting = new_id()
    for _ in range(2):
        await owner.updates(request_id=setting, display_name="Sol")

    assert len(await desk.published()) == 4
    reason, _ = await refusal(owner.writes("Other", request_id=once))
    assert reason == "IDEMPOTENCY_KEY_REUSED"


async def test_who_saw_an_older_version_changes_nothing(desk: Desk, owner: Owner) -> None:
    article = await owner.writes("Hours")
    for request in (
        owner.knowledge.UpdateArticle(
            v1.UpdateArticleRequest(
                article_id=article.id, request_id=new_id(), body="x", expected_version=9
            )
        ),
        owner.knowledge.DeleteArticle(
            v1.DeleteArticleRequest(article_id=article.id, request_id=new_id(), expected_version=9)
        ),
        owner.updates(display_name="Sol", expected_version=9),
    ):
        assert (await refusal(request))[0] == "VERSION_CONFLICT"
    assert len(await desk.published()) == 1


async def test_pages_show_every_article_once_newest_first(owner: Owner) -> None:
    written = [(await owner.writes(f"Article {number}")).id for number in range(5)]

    seen: list[str] = []
    token = ""
    while True:
        page = await owner.knowledge.ListArticles(
            v1.ListArticlesRequest(page_size=2, page_token=token)
        )
        seen += [article.id for article in page.articles]
        token = page.next_page_token
        if not token:
            break

    assert seen == written[::-1]


async def test_a_workspace_has_a_bound_of_articles(desk: Desk, owner: Owner) -> None:
    async with desk.app.database.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO articles SELECT $1, gen_random_uuid(), 'x', '', 'english', now(), now(), "
            "1, false FROM generate_series(1, $2)",
            desk.workspace_id,
            MAX_ARTICLES,
        )

    reason, metadata = await refusal(owner.writes("one more"))

    assert (reason, metadata["max_articles"]) == ("TOO_MANY_ARTICLES", str(MAX_ARTICLES))


async def test_a_search_ignores_accents_endings_and_small_words(owner: Owner) -> None:
    await owner.writes("Envíos", "Los envíos a Canarias tardan cinco días.")
    await owner.writes("Shipping", "Parcels are shipped within two days.")
    await owner.writes("Devoluções", "As devoluções são grátis durante trinta dias.")

    for query, title in (
        ("¿cuánto tarda un envio a canárias?", "Envíos"),
        ("Hi! When will my parcel be shipped?", "Shipping"),
        ("posso fazer devolucoes gratis?", "Devoluções"),
    ):
        [best, *_] = await owner.searches(query)
        assert (best.title, best.coverage_percent >= 60) == (title, True), query


async def test_a_search_says_how_much_of_the_question_a_passage_has(owner: Owner) -> None:
    await owner.writes("Pots", "Clay pots.\n\nBlue clay pots from Granada.")

    found = await owner.searches("blue clay pots granada elephants")

    assert [one.coverage_percent for one in found] == [80, 40]
    assert found[0].text == "Blue clay pots from Granada."
    assert await owner.searches("elephants") == []
    assert await owner.searches("hello there!") == []


async def test_a_word_alone_is_enough_only_where_it_is_the_title(owner: Owner) -> None:
    await owner.writes("Opening hours", "The shop is two minutes on foot from the station.")

    [by_title] = await owner.searches("opening?")
    [by_chance] = await owner.searches("minutes?")

    assert (by_title.coverage_percent, by_chance.coverage_percent) == (100, 50)


@pytest.mark.parametrize("query", ["'", "a & b | !c:*", "\\", "((((", "x'; DROP TABLE articles--"])
async def test_a_search_takes_nothing_for_syntax(owner: Owner, query: str) -> None:
    await owner.writes("Pots", "Clay pots.")

    await owner.searches(query)

    assert len(await owner.lists()) == 1


async def test_a_changed_or_deleted_article_is_not_quoted_as_it_was(owner: Owner) -> None:
    article = await owner.writes("Hours", "Opening at nine.")
    await owner.knowledge.UpdateArticle(
        v1.UpdateArticleRequest(article_id=article.id, request_id=new_id(), body="Opening at ten.")
    )
    assert [one.text for one in await owner.searches("opening hours")] == ["Opening at ten."]

    await owner.knowledge.DeleteArticle(
        v1.DeleteArticleRequest(article_id=article.id, request_id=new_id())
    )

    assert await owner.searches("opening hours") == []


async def test_a_snapshot_has_the_settings_and_every_article_page_by_page(
    desk: Desk, owner: Owner
) -> None:
    await owner.updates(display_name="Sol")
    articles = [await owner.writes(f"Article {number}") for number in range(3)]
    await owner.knowledge.DeleteArticle(
        v1.DeleteArticleRequest(article_id=articles[1].id, request_id=new_id())
    )

    entities: list[SnapshotEntity] = []
    after = ""
    while True:
        async with desk.worker.database.begin(desk.workspace_id) as transaction:
            page = await Snapshot().page(transaction, after, 2)
        entities += page
        if len(page) < 2:
            break
        after = page[-1].cursor

    assert entities[0].subject.endswith(f"assistant_settings_changed.{desk.workspace_id}")
    shown = [v1.ArticleChanged.FromString(entity.payload).article for entity in entities[1:]]
    assert {article.id for article in shown} == {article.id for article in articles}
    assert [article.is_deleted for article in shown].count(True) == 1


async def test_a_foreign_workspace_finds_nothing(owner: Owner, server: Serving) -> None:
    article = await owner.writes("Hours", "secret opening")
    channel = server.channel(Role.OWNER, new_workspace_id())
    stranger = Owner(v1.KnowledgeServiceStub(channel), v1.AssistantServiceStub(channel))

    for call in (
        stranger.knowledge.GetArticle(v1.GetArticleRequest(article_id=article.id)),
        stranger.knowledge.UpdateArticle(
            v1.UpdateArticleRequest(article_id=article.id, request_id=new_id(), title="x")
        ),
        stranger.knowledge.DeleteArticle(
            v1.DeleteArticleRequest(article_id=article.id, request_id=new_id())
        ),
    ):
        assert (await refusal(call))[0] == "ARTICLE_NOT_FOUND"
    assert await stranger.lists() == []
    assert await stranger.searches("secret opening") == []
