"""What a provider is asked, and what is made of its answer."""

from __future__ import annotations

from dataclasses import replace

from services.assistant.actions.ports import History
from services.assistant.actions.turns import Taken
from services.assistant.model import phrases
from services.assistant.model.turns import (
    MAX_REPLY_CHARACTERS,
    Decision,
    Handover,
    HandoverReason,
    Speaker,
)
from services.assistant.providers.port import Answer, Question


def question_of(taken: Taken, history: History) -> Question:
    """What nobody has answered yet; the history may be ahead of the duty, which events tell of."""
    by_people = (line.ordinal for line in history.lines if line.speaker is Speaker.PERSON)
    # Whoever wrote had read what came before.
    answered_ordinal = max(by_people, default=0)
    answered_ordinal = max(answered_ordinal, taken.duty.answered_ordinal)
    return Question(
        conversation_id=taken.duty.conversation_id,
        turn_number=taken.duty.turn_number,
        history=history.lines,
        unanswered=tuple(
            line
            for line in history.lines
            if line.speaker is Speaker.CUSTOMER and line.ordinal > answered_ordinal
        ),
        settings=taken.settings,
        api_key=taken.api_key,
    )


def decision_of(question: Question, answer: Answer) -> Decision:
    """What is said and done. An answer without words means that the provider does not know."""
    text = answer.text.strip().replace("\x00", "")
    if answer.handover is None and text:
        return Decision(text[:MAX_REPLY_CHARACTERS])
    handover = answer.handover or Handover(HandoverReason.UNSURE)
    if not handover.summary:
        customers = [line.text for line in question.history if line.speaker is Speaker.CUSTOMER]
        handover = replace(handover, summary=phrases.last_words(customers))
    return Decision(phrases.HANDED_OVER[phrases.language_of(question.text)], handover)
