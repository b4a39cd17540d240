"""The session's cookie: how it comes, what it is good for, and for whom it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.gateway.doubles import SESSION

if TYPE_CHECKING:
    import aiohttp

    from tests.service.gateway.suite_double import Services

GET_SELF = "/inbox.identity.v1.IdentityService/GetSelf"
JSON = {"content-type": "application/json"}
PASSWORD = {"email": "ana@example.com", "password": "right"}


async def who_am_i(page: aiohttp.ClientSession, **headers: str) -> tuple[int, str]:
    async with page.post(GET_SELF, data=b"{}", headers=JSON | headers) as answer:
        body = await answer.json()
        return answer.status, body.get("subject", {}).get("id") or body["code"]


async def sign_in(page: aiohttp.ClientSession) -> None:
    async with page.post("/auth/sign-in", json=PASSWORD) as answer:
        assert answer.status == 200


async def test_signing_in_sets_a_cookie_no_script_can_read(
    browser: aiohttp.ClientSession,
) -> None:
    async with browser.post("/auth/sign-in", json=PASSWORD) as answer:
        assert answer.status == 200
        cookie = answer.headers["set-cookie"]
        assert (await answer.json())["member"]["displayName"] == "Ana"

    assert cookie.startswith(f"inbox_session={SESSION};")
    for attribute in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert attribute in cookie
    assert SESSION not in str(await answer.json())


async def test_a_wrong_password_and_a_used_link_are_refused(
    browser: aiohttp.ClientSession,
) -> None:
    for credential in ({"email": "ana@example.com", "password": "wrong"}, {"link": "il_1.used"}):
        async with browser.post("/auth/sign-in", json=credential) as answer:
            assert answer.status == 401
            assert "set-cookie" not in answer.headers
            assert (await answer.json())["code"] == "unauthenticated"


async def test_identity_is_told_where_a_try_comes_from(
    browser: aiohttp.ClientSession, services: Services
) -> None:
    await sign_in(browser)
    claimed = {"x-forwarded-for": "1.1.1.1, 10.9.8.7"}
    async with browser.post("/auth/sign-in", json=PASSWORD, headers=claimed):
        pass

    # The proxy in front is on this machine; what it appended counts, not what a client claims.
    assert services.identity.sign_in_addresses == ["127.0.0.1", "10.9.8.7"]


async def test_a_one_time_link_signs_in(browser: aiohttp.ClientSession) -> None:
    async with browser.post("/auth/sign-in", json={"link": "il_1.good"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"email": 1}', b"{}", b"\xff"])
async def test_a_malformed_sign_in_is_refused(browser: aiohttp.ClientSession, body: bytes) -> None:
    async with browser.post("/auth/sign-in", data=body) as answer:
        assert answer.status == 400


async def test_the_session_is_exchanged_once_for_many_calls(
    browser: aiohttp.ClientSession, services: Services
) -> None:
    await sign_in(browser)

    answers = {await who_am_i(browser) for _ in range(5)}

    assert answers == {(200, "Bearer token-1")}
    assert services.identity.exchanges == 1


async def test_a_token_that_was_refused_is_exchanged_anew(
    browser: aiohttp.ClientSession, services: Services
) -> None:
    await sign_in(browser)
    await who_am_i(browser)
    services.identity.refused_tokens.add("Bearer token-1")

    assert await who_am_i(browser) == (200, "Bearer token-2")


async def test_while_identity_is_away_a_known_session_goes_on(
    browser: aiohttp.ClientSession, services: Services
) -> None:
    await sign_in(browser)
    await who_am_i(browser)
    services.identity.is_away = True

    assert await who_am_i(browser) == (200, "Bearer token-1")


async def test_another_sites_page_cannot_use_the_cookie(
    browser: aiohttp.ClientSession,
) -> None:
    await sign_in(browser)

    assert await who_am_i(browser, origin="https://evil.example") == (403, "permission_denied")


async def test_without_our_header_the_cookie_is_not_used(
    program: aiohttp.ClientSession,
) -> None:
    cookie = {"cookie": f"inbox_session={SESSION}"}

    assert await who_am_i(program, **cookie) == (403, "permission_denied")
    foreign = {"sec-fetch-site": "cross-site", "x-inbox-client": "web"}
    assert await who_am_i(program, **cookie, **foreign) == (403, "permission_denied")


async def test_a_bearer_credential_is_passed_on_untouched(
    program: aiohttp.ClientSession, services: Services
) -> None:
    assert await who_am_i(program, authorization="Bearer ik_1.x") == (200, "Bearer ik_1.x")
    assert services.identity.exchanges == 0


async def test_without_any_credential_the_service_decides(program: aiohttp.ClientSession) -> None:
    assert await who_am_i(program) == (401, "unauthenticated")


async def test_a_ticket_comes_in_the_sessions_name(browser: aiohttp.ClientSession) -> None:
    await sign_in(browser)

    async with browser.post("/auth/ticket", json={}) as answer:
        assert (await answer.json())["ticket"] == "it_1.secret"


async def test_signing_out_ends_the_session_and_clears_the_cookie(
    browser: aiohttp.ClientSession, services: Services
) -> None:
    await sign_in(browser)

    async with browser.post("/auth/sign-out", json={}) as answer:
        assert answer.status == 200
        assert 'inbox_session=""' in answer.headers["set-cookie"]

    assert services.identity.ended_sessions == [SESSION]
    async with browser.post("/auth/sign-out", json={}) as answer:
        assert answer.status == 200
    assert await who_am_i(browser) == (401, "unauthenticated")


async def test_an_accepted_invitation_signs_in(browser: aiohttp.ClientSession) -> None:
    body = {"token": "il_2.x", "password": "long enough", "displayName": "Bo"}

    async with browser.post("/auth/accept-invite", json=body) as answer:
        assert answer.status == 200
        assert answer.headers["set-cookie"].startswith("inbox_session=")
