"""A customer and an agent, each in a browser of their own."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.web.people import Agent, Customer
from tests.web.system import System

Words = Callable[[str], str]


def test_customer_and_agent_talk_both_ways_live_with_true_ticks(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, answer, thanks = words("Is it still there?"), words("It is."), words("Lovely.")

    customer.writes(question)
    agent.opens_conversation(question)
    agent.writes(answer)

    expect(customer.bubble(answer)).to_be_visible()
    agent.sees_status(answer, "read")
    customer.writes(thanks)
    expect(agent.bubble(thanks)).to_be_visible()
    expect(agent.row(thanks)).to_be_visible()


def test_a_message_in_a_closed_box_is_delivered_and_read_once_it_is_opened(
    agent: Agent, customer: Customer, system: System, words: Words
) -> None:
    # Any page of a site: the box sits in a frame behind a round button.
    site = f"{system.url}/shop"
    script = f"<script src='/embed.js' data-channel='{system.channel_id}'></script>"
    page = f"<!doctype html><title>Shop</title><h1>Shop</h1>{script}"
    customer.page.route(site, lambda route: route.fulfill(body=page, content_type="text/html"))
    customer.page.goto(site)
    box = customer.page.frame_locator("iframe")
    question, answer = words("Do you ship to Spain?"), words("We do.")

    customer.page.get_by_role("button", name="Open the chat").click()
    box.get_by_label("Your message").fill(question)
    box.get_by_label("Your message").press("Enter")
    agent.opens_conversation(question)
    box.get_by_label("Close the chat").click()
    agent.writes(answer)

    agent.sees_status(answer, "delivered")
    expect(customer.page.get_by_text("1", exact=True)).to_be_visible()
    customer.page.get_by_role("button", name="Open the chat").click()
    agent.sees_status(answer, "read")


def test_history_is_kept_after_a_reload_on_both_sides(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, answer = words("Can I change the address?"), words("Of course.")
    customer.writes(question)
    agent.opens_conversation(question)
    agent.writes(answer)
    expect(customer.bubble(answer)).to_be_visible()

    customer.page.reload()
    agent.page.reload()

    for history in (customer.history, agent.history):
        expect(history).to_contain_text(question)
        expect(history).to_contain_text(answer)
    expect(agent.page).to_have_url(re.compile("/c/"))


def test_a_sent_message_is_one_bubble_from_the_first_moment(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, answer = words("One or two?"), words("Just one.")
    customer.writes(question)
    agent.opens_conversation(question)
    agent.page.evaluate(
        """text => {
            window.most = 0;
            window.drawn = null;
            const look = () => {
                const found = [...document.querySelectorAll('[role=log] article')]
                    .filter(bubble => bubble.textContent.includes(text));
                window.most = Math.max(window.most, found.length);
                if (found.length > 0 && window.drawn === null) window.drawn = found[0];
                window.isSame = found.length > 0 && found[0] === window.drawn;
                requestAnimationFrame(look);
            };
            look();
        }""",
        answer,
    )

    agent.writes(answer)

    agent.sees_status(answer, "read")
    assert agent.page.evaluate("window.most") == 1
    assert agent.page.evaluate("window.isSame")


def test_typing_is_shown_on_both_sides(agent: Agent, customer: Customer, words: Words) -> None:
    question = words("Are you there?")
    customer.writes(question)
    agent.opens_conversation(question)

    agent.field.press_sequentially("I am looking")
    expect(customer.page.get_by_label("Somebody is typing")).to_be_visible()

    customer.field.press_sequentially("And another thing")
    expect(agent.page.get_by_text("is typing").first).to_be_attached()


def test_the_unread_badge_counts_and_goes_when_the_messages_were_seen(
    agent: Agent, customer: Customer, words: Words
) -> None:
    first, second = words("First"), words("Second")

    customer.writes(first)
    expect(agent.row(first).get_by_test_id("unread")).to_contain_text("1")
    customer.writes(second)
    expect(agent.row(second).get_by_test_id("unread")).to_contain_text("2")
    expect(agent.page).to_have_title(re.compile(r"^\(\d+\) Inbox$"))

    agent.opens_conversation(second)
    expect(agent.row(second).get_by_test_id("unread")).to_have_count(0)


def test_shift_enter_breaks_the_line_and_nothing_empty_is_sent(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, first, second = words("Tell me more"), words("Line one"), words("Line two")
    customer.writes(question)
    agent.opens_conversation(question)

    agent.field.press_sequentially("   ")
    agent.field.press("Enter")
    expect(agent.page.get_by_role("button", name="Send")).to_have_attribute("aria-disabled", "true")
    agent.field.fill(first)
    agent.field.press("Shift+Enter")
    agent.field.press_sequentially(second)
    agent.field.press("Enter")

    expect(agent.field).to_have_value("")
    expect(customer.bubble(first)).to_contain_text(second)
    expect(agent.history.get_by_role("article")).to_have_count(2)


def test_a_draft_survives_another_conversation_and_a_reload(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, draft = words("How long does it take?"), words("About three")
    customer.writes(question)
    agent.opens_conversation(question)

    agent.field.fill(draft)
    agent.opens()
    expect(agent.field).to_have_count(0)
    agent.row(draft).click()
    expect(agent.field).to_have_value(draft)
    agent.page.reload()
    expect(agent.field).to_have_value(draft)


def test_solved_leaves_the_list_and_undo_or_the_customer_brings_it_back(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, more = words("Solved already?"), words("Not quite.")
    customer.writes(question)
    agent.opens_conversation(question)
    solve = agent.page.get_by_role("button", name="Mark as solved")

    solve.click()
    expect(agent.row(question)).to_have_count(0)
    agent.page.get_by_role("button", name="Undo").click()
    expect(agent.row(question)).to_be_visible()

    solve.click()
    expect(agent.page.get_by_role("button", name="Reopen")).to_be_visible()
    agent.folder("Solved").click()
    expect(agent.row(question)).to_be_visible()
    customer.writes(more)
    expect(agent.row(more)).to_have_count(0)
    agent.folder("Open").click()
    expect(agent.row(more)).to_be_visible()


def test_ai_mode_locks_the_composer_and_taking_over_gives_it_back(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, draft, answer = words("Who is there?"), words("half a"), words("A person.")
    customer.writes(question)
    agent.opens_conversation(question)
    agent.field.fill(draft)

    agent.page.get_by_role("button", name="AI", exact=True).click()
    expect(agent.page.get_by_text("AI is managing this conversation")).to_be_visible()
    expect(agent.page.get_by_test_id("mode")).to_have_text("AI: Active")
    expect(agent.field).to_have_count(0)

    agent.page.get_by_role("button", name="Take manual control").click()
    expect(agent.page.get_by_test_id("mode")).to_have_text("Manual")
    expect(agent.field).to_have_value(draft)
    agent.writes(answer)
    expect(customer.bubble(answer)).to_be_visible()


def test_whoever_takes_over_sees_when_the_ai_resumes_and_may_keep_the_conversation(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, answer = words("Anybody there?"), words("I am.")
    customer.writes(question)
    agent.opens_conversation(question)
    expect(agent.page.get_by_role("timer")).to_have_count(0)

    agent.page.get_by_role("button", name="AI", exact=True).click()
    agent.page.get_by_role("button", name="Take manual control").click()
    timer = agent.page.get_by_role("timer")
    expect(timer).to_have_text(re.compile(r"^AI resumes in 1[45]:\d\d$"))
    expect(agent.history).to_contain_text("You let the AI answer")
    expect(agent.history).to_contain_text("You took over from the AI")
    agent.writes(answer)
    expect(customer.bubble(answer)).to_be_visible()
    expect(customer.history).not_to_contain_text("the AI")
    expect(agent.row(answer)).to_be_visible()

    agent.page.get_by_role("button", name="Keep manual").click()
    expect(agent.page.get_by_text("People keep this conversation")).to_be_visible()
    expect(timer).to_have_count(0)
    agent.page.get_by_role("button", name="Let the AI resume").click()
    expect(timer).to_be_visible()


def test_the_timeline_tells_how_a_message_got_there(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, answer = words("Did it go out?"), words("It did.")
    customer.writes(question)
    agent.opens_conversation(question)
    agent.writes(answer)
    agent.sees_status(answer, "read")

    agent.bubble(answer).get_by_role("button", name=re.compile("Show how it got there")).click()

    timeline = agent.page.get_by_role("dialog", name="How it got there")
    expect(timeline.get_by_text("Seen by the customer")).to_be_visible()
    expect(timeline.get_by_text(re.compile("On the customer.s device"))).to_be_visible()
    agent.page.keyboard.press("Escape")
    expect(timeline).to_have_count(0)


def test_words_of_a_customer_never_become_markup(
    agent: Agent, customer: Customer, words: Words
) -> None:
    attack = words(
        "<img src=x onerror='window.hit=1'><b>bold</b> javascript:alert(1) https://a.example/x"
    )

    customer.writes(attack)
    agent.opens_conversation(attack)

    for page, bubble in (
        (agent.page, agent.bubble(attack)),
        (customer.page, customer.bubble(attack)),
    ):
        expect(bubble).to_be_visible()
        assert bubble.locator("img, b").count() == 0
        assert page.evaluate("window.hit") is None
    link = agent.bubble(attack).get_by_role("link")
    expect(link).to_have_attribute("href", "https://a.example/x")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
