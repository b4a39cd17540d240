"""What happens when the line breaks: told, kept, sent once, caught up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route, WebSocketRoute, expect

from tests.web.conftest import NewPage
from tests.web.people import Agent, Customer
from tests.web.system import System

Words = Callable[[str], str]


def test_a_broken_line_is_told_after_two_seconds_and_everything_is_caught_up(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, missed, answer = words("Hello?"), words("You missed this"), words("Sent offline")
    customer.writes(question)
    agent.opens_conversation(question)

    agent.page.context.set_offline(True)
    expect(agent.page.get_by_text("Reconnecting…")).to_be_visible()
    customer.writes(missed)
    expect(customer.bubble(missed)).to_be_visible()
    agent.writes(answer)
    expect(agent.bubble(answer)).to_be_visible()
    expect(agent.bubble(missed)).to_have_count(0)

    agent.page.context.set_offline(False)
    expect(agent.page.get_by_text("Reconnecting…")).to_have_count(0)
    expect(agent.bubble(missed)).to_be_visible()
    expect(agent.bubble(answer)).to_have_count(1)
    agent.sees_status(answer, "read")
    expect(customer.bubble(answer)).to_have_count(1)


def test_what_was_sent_without_a_connection_survives_a_reload_and_arrives_once(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, answer = words("Anybody?"), words("Kept through the reload")
    customer.writes(question)
    agent.opens_conversation(question)
    page = agent.page

    def no_sending(route: Route) -> None:
        route.abort()

    def no_line(socket: WebSocketRoute) -> None:
        socket.close(code=1012)

    page.route("**/SendMessage", no_sending)
    page.route_web_socket("**/ws", no_line)
    page.reload()
    expect(agent.history).to_contain_text(question)
    agent.writes(answer)
    expect(agent.bubble(answer).locator("[data-status=sending]")).to_be_visible()
    page.reload()
    expect(agent.bubble(answer)).to_be_visible()
    expect(customer.bubble(answer)).to_have_count(0)

    page.unroute("**/SendMessage")
    page.get_by_role("button", name="Try now").click()

    expect(customer.bubble(answer)).to_have_count(1)
    expect(agent.bubble(answer)).to_have_count(1)


def test_a_customer_who_was_away_sees_what_came_and_sends_what_they_wrote(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, answer, later = words("Before"), words("Answered"), words("Written while away")
    customer.writes(question)
    agent.opens_conversation(question)

    customer.page.context.set_offline(True)
    customer.writes(later)
    agent.writes(answer)
    agent.sees_status(answer, "sent")
    customer.page.context.set_offline(False)

    expect(customer.bubble(answer)).to_be_visible()
    expect(agent.bubble(later)).to_have_count(1)
    agent.sees_status(answer, "read")


def test_two_windows_of_one_agent_agree(
    agent: Agent,
    customer: Customer,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    words: Words,
) -> None:
    question, answer = words("Two windows"), words("One inbox")
    other = Agent(new_page(storage_state=signed_in), system)
    other.opens()
    customer.writes(question)

    agent.opens_conversation(question)
    expect(other.row(question).get_by_test_id("unread")).to_have_count(0)
    other.opens_conversation(question)
    agent.writes(answer)

    expect(other.bubble(answer)).to_have_count(1)
    other.sees_status(answer, "read")
