"""What the demo's AI knows, asked as a customer of its shop would ask."""

from __future__ import annotations

import pytest

from suite.demo import articles
from tests.service.assistant.desk import Desk


@pytest.fixture
async def shop(desk: Desk) -> Desk:
    for _, title, body in articles():
        await desk.writes_article(title, body)
    return desk


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("When does the shop open on Saturday?", "Opening hours and address"),
        ("What are your opening hours?", "Opening hours and address"),
        ("Where are you? Is there a car park?", "Opening hours and address"),
        ("How much is shipping?", "Delivery times and shipping costs"),
        ("Do you deliver to Portugal?", "Delivery times and shipping costs"),
        ("Can I return it within 30 days?", "Returns and refunds"),
        ("My plant arrived damaged, what now?", "Returns and refunds"),
        ("Can I pay by bank transfer?", "Payment methods and invoices"),
        ("Why does my plant have yellow leaves?", "Looking after a new plant"),
        ("¿A qué hora abren los sábados?", "Horario y dirección"),
        ("¿Cuánto cuesta el envío?", "Envíos y devoluciones"),
    ],
)
async def test_what_a_customer_would_ask_is_answered_from_the_article_about_it(
    shop: Desk, question: str, source: str
) -> None:
    ana = shop.customer()
    ana.writes(question)

    await shop.answer_all(ana)

    [sent] = ana.sent
    assert sent.text.splitlines()[-1].partition(": ")[2] == source


@pytest.mark.parametrize("question", ["Do you sell bicycles?", "Can you fix my laptop today?"])
async def test_what_no_article_is_about_goes_to_a_person(shop: Desk, question: str) -> None:
    ana = shop.customer()
    ana.writes(question)

    await shop.answer_all(ana)

    assert len(ana.handovers) == 1
