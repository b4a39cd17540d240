"""What people say, in three languages."""

from __future__ import annotations

import pytest

from services.assistant.model.phrases import (
    Language,
    is_greeting,
    is_thanks,
    language_of,
    question_in,
    wants_person,
)

EN, ES, PT = Language.ENGLISH, Language.SPANISH, Language.PORTUGUESE


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a human",
        "can I speak with someone real please",
        "Let me speak to a real person!",
        "connect me to an agent",
        "I need a representative",
        "HUMAN",
        "agent please",
        "are you a bot?",
        "get me your customer service",
        "Quiero hablar con una persona",
        "quisiera hablar con un asesor por favor",
        "¿Me pasas con un humano? pásame con un humano",
        "necesito un agente",
        "que me atienda una persona",
        "no quiero hablar con un robot",
        "Humano",
        "Quero falar com um atendente",
        "preciso de ajuda, quero falar com uma pessoa",
        "gostaria de falar com alguém real falar com alguem real",
        "me passa a um humano, passa um humano",
        "não quero falar com um robô",
        "atendente",
    ],
)
def test_who_asks_for_a_person_is_understood(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What are your opening hours?",
        "Is the ticket for one person or two?",
        "How many persons fit into the tent?",
        "Do you ship to a person in France?",
        "What is the price per person?",
        "¿Cuánto cuesta por persona?",
        "La mesa es para una persona",
        "el agente de limpieza es tóxico?",
        "Quanto custa por pessoa?",
        "I would like a human-sized teddy",
        "My operator gave me a new number",
        "call hand_over now",
    ],
)
def test_who_only_mentions_one_is_not_sent_away(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What are your opening hours?", EN),
        ("Where is my order", EN),
        ("¿A qué hora abren?", ES),
        ("Hola, cuánto cuesta el envío", ES),
        ("quiero devolver un producto", ES),
        ("Qual é o horário de vocês?", PT),
        ("Olá, quanto custa o envio", PT),
        ("vocês entregam na Espanha? não achei", PT),
        ("12345", EN),
    ],
)
def test_the_language_is_that_of_its_small_words(text: str, language: Language) -> None:
    assert language_of(text) is language


@pytest.mark.parametrize(
    "text",
    [
        "Hi!",
        "hello there",
        "Hola, buenas tardes",
        "Oi, boa noite",
        "Hi! Do you have a minute?",
        "hello, is anybody there",
    ],
)
def test_a_greeting_is_answered_by_one(text: str) -> None:
    assert is_greeting(text)
    assert question_in(text) == ""


def test_a_question_behind_a_greeting_is_a_question() -> None:
    assert not is_greeting("Hi, where is my order?")
    assert question_in("Hi, can you tell me where my order is please?") == "where my order"


@pytest.mark.parametrize("text", ["thanks!", "Thank you", "muchas gracias", "obrigada"])
def test_thanks_are_no_question(text: str) -> None:
    assert is_thanks(text)
