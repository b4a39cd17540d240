"""The provider that needs no network: it answers with a passage of the workspace's articles.

The same question always gets the same answer, and every answer says where it is from.
"""

from __future__ import annotations

from services.assistant.model import phrases
from services.assistant.model.turns import Handover, HandoverReason, Usage
from services.assistant.providers.port import Answer, Question, Toolbox

MODEL = "offline"
PROMPT_VERSION = "offline-1"
USAGE = Usage(model=MODEL, prompt_version=PROMPT_VERSION)


class OfflineProvider:
    """Full-text retrieval, and a little politeness."""

    async def answer(self, question: Question, toolbox: Toolbox) -> Answer:
        """Quote the best passage, or call a person where none is good enough."""
        text = question.text
        language = phrases.language_of(text)
        if phrases.is_thanks(text):
            return Answer(phrases.WELCOME[language], usage=USAGE)
        if phrases.is_greeting(text):
            return Answer(phrases.GREETING[language], usage=USAGE)
        found = await toolbox.search_knowledge(text)
        best = found[0] if found else None
        if best is None or best.coverage_percent < question.settings.min_coverage_percent:
            return Answer(handover=Handover(HandoverReason.UNSURE), usage=USAGE)
        source = phrases.SOURCE[best.language]
        return Answer(f"{best.text}\n\n{source}: {best.title}", usage=USAGE)
