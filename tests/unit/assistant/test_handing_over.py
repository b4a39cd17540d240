"""What the AI tells the person it calls is what messaging takes, whatever was said before."""

from __future__ import annotations

from services.assistant.mapping import REASONS, field_to
from services.assistant.model.phrases import last_words
from services.assistant.model.turns import (
    MAX_FIELDS_HANDED,
    MAX_KEY_CHARACTERS,
    MAX_SUMMARY_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    CollectedField,
)
from services.messaging.mapping.messages import HANDOVER_REASONS_BACK
from services.messaging.model.handover import (
    CollectedField as TakenField,
)
from services.messaging.model.handover import Handover, HandoverReason, refuse_unless_sound
from tests.fakes import START


def test_the_most_that_is_collected_is_no_more_than_a_handover_takes() -> None:
    collected = [
        CollectedField(f"k{number}".ljust(MAX_KEY_CHARACTERS, "y"), "v" * MAX_VALUE_CHARACTERS)
        for number in range(MAX_FIELDS_HANDED)
    ]
    told = map(field_to, collected)

    refuse_unless_sound(
        Handover(
            HandoverReason.OTHER,
            "s" * MAX_SUMMARY_CHARACTERS,
            tuple(TakenField(one.key, one.value, one.source_seq) for one in told),
            create_time=START,
        )
    )


def test_every_reason_is_one_that_messaging_knows() -> None:
    assert set(REASONS.values()) <= set(HANDOVER_REASONS_BACK)


def test_the_customers_last_words_are_quoted_and_cut() -> None:
    assert last_words([]) == ""
    assert last_words(["one", " ", "two", "three\x00"]) == "They wrote last:\n“two”\n“three”"
    assert last_words(["x" * 300]) == f"They wrote last:\n“{'x' * 199}…”"
