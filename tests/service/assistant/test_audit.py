"""What the audit says of the AI: who wrote what it knows, and who chose how it behaves."""

from __future__ import annotations

from datetime import timedelta

from chassis.ids import new_id
from services.assistant.actions import articles
from tests.audited import kept_in
from tests.service.assistant.desk import Desk


async def test_an_articles_story_keeps_what_it_said(desk: Desk) -> None:
    article = await desk.writes_article("Opening hours", "We open at 9.")
    await articles.delete_article(
        desk.app, desk.owner, article.id, request_id=new_id(), expected_version=0
    )

    written, deleted = await kept_in(desk.app.database, desk.workspace_id)

    assert (written.command, written.actor) == ("KnowledgeService/CreateArticle", "member Olga")
    assert (written.before, deleted.after) == (None, None)
    said = {"title": "Opening hours", "body": "We open at 9.", "language": "english"}
    assert written.after == deleted.before == said


async def test_a_change_of_settings_names_what_differs_and_never_the_key(desk: Desk) -> None:
    await desk.chooses(display_name="Robi", reply_delay=timedelta(seconds=3), api_key="sk-secret")

    (changed,) = await kept_in(desk.app.database, desk.workspace_id)

    assert changed.command == "AssistantService/UpdateAssistantSettings"
    assert changed.before == {
        "display_name": "Assistant",
        "reply_delay_seconds": 2.0,
        "has_api_key": False,
    }
    assert changed.after == {
        "display_name": "Robi",
        "reply_delay_seconds": 3.0,
        "has_api_key": True,
        "api_key": "withheld",
    }
