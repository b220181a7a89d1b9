"""Signing out at the provider too, and here when the provider says so. One provider is our own, which can lie, another
is of somebody else's making, which cannot."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import text, update
from starlette.testclient import TestClient

from core.db import Database
from core.records.people import Staff
from core.rules.permissions import Role
from dashboard import oidc, request_context
from dashboard.provider_sign_out import EVENT, HINT
from tests.dashboard.desk_fixtures import HTML, ORIGIN, Office, browser_of
from tests.dashboard.oidc_provider import CLIENT_ID, Provider
from tests.dashboard.test_single_sign_on import (
    BACK,
    desk,
    http,
    leave,
    provider,
    running,
    sessions_of,
    sign_in,
)

__all__ = ["desk", "http", "provider", "running"]  # fixtures


def test_whoever_signs_out_is_sent_on_to_the_provider(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    answer = http.post("/sign-out", headers=ORIGIN)
    assert answer.headers["location"] == "/sign-out/provider"
    (row,) = sessions_of(desk)
    assert row.revoked_at is not None
    page = http.get("/sign-out/provider", headers=HTML)
    assert "You are signed out of Escrow Desk" in page.text
    there = page.text.split('content="0;url=')[1].split('"')[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(there).query)
    assert there.startswith(f"{provider.issuer}/leave?")
    assert (asked["client_id"], asked["post_logout_redirect_uri"]) == (
        [CLIENT_ID],
        ["http://127.0.0.1:8501/sign-in"],
    )
    assert asked["id_token_hint"][0].count(".") == 2
    assert HINT not in http.cookies, "it goes with the way out"


def test_the_identity_token_is_for_the_way_out_alone(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    cookies = sign_in(http, provider).headers.get_list("set-cookie")
    (cookie,) = [each.lower() for each in cookies if each.startswith(HINT)]
    assert all(part in cookie for part in ("path=/sign-out", "httponly", "samesite=strict"))


def test_a_provider_that_is_silent_keeps_nobody_signed_in(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    with browser_of(desk) as another_process:  # it has not read the provider's addresses yet
        provider.down = True
        another_process.cookies.update(http.cookies)
        another_process.post("/sign-out", headers=ORIGIN)
        assert another_process.get("/sign-out/provider", headers=HTML).headers["location"] == "/sign-in"
    (row,) = sessions_of(desk)
    assert row.revoked_at is not None


def told(http: TestClient, token: str) -> Any:
    return http.post("/sign-in/back-channel-logout", data={"logout_token": token})


def ended(desk: Office) -> list[bool]:
    return [row.revoked_at is not None for row in sessions_of(desk)]


def test_the_provider_ends_the_session_that_it_names_and_no_other(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    provider.claims = {"sid": "one"}
    sign_in(http, provider)
    with browser_of(desk) as second, browser_of(desk) as third:
        provider.claims = {"sid": "two"}
        sign_in(second, provider)
        sign_in(third, provider, "f-1")
        desk.clock.advance(timedelta(minutes=1))  # they began before the tokens were made
        answer = told(http, provider.logout_token(sid="one"))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert ended(desk) == [True, False, False]
        assert http.get("/disputes", headers=HTML).headers["location"].startswith("/sign-in")
        assert told(http, provider.logout_token(sub="m-1")).status_code == 200
        assert ended(desk) == [True, True, False], "without a session it is all of one person's"
    with desk.desk.database.reading() as session:
        last = "select action from audit_entries order by id desc limit 1"
        assert session.scalar(text(last)) == "system:session:end_at_provider"


def test_a_token_that_is_posted_again_ends_nothing_that_began_since(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    token = provider.logout_token(sub="m-1", iat=int(time.time()) - 60)
    desk.clock.advance(timedelta(minutes=-2))
    with browser_of(desk) as before:
        sign_in(before, provider)
    desk.clock.advance(timedelta(minutes=2))
    assert told(http, token).status_code == 200
    assert ended(desk) == [False, True]


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://another.test"}, {"aud": "another-application"}, {"aud": None},
        {"iat": 1_000}, {"iat": None}, {"iat": "now"}, {"iat": 4_000_000_000}, {"exp": 1_000},
        {"events": None}, {"events": {}}, {"events": {EVENT: None}}, {"events": "x"},
        {"nonce": "one"}, {"jti": None}, {"sub": None}, {"sub": 7}, {"sid": ["one"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_logout_token_that_does_not_fit_ends_nothing(
    http: TestClient, desk: Office, provider: Provider, lie: dict[str, Any]
) -> None:
    sign_in(http, provider)
    answer = told(http, provider.logout_token(**({"sub": "m-1"} | lie)))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert ended(desk) == [False]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_ends_nothing(
    http: TestClient, desk: Office, provider: Provider, token: str
) -> None:
    sign_in(http, provider)
    assert told(http, token).status_code == 400
    assert http.post("/sign-in/back-channel-logout", content=b"x" * 100_000).status_code == 400
    assert ended(desk) == [False]


def test_a_logout_token_of_another_key_ends_nothing(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert told(http, provider.logout_token(sub="m-1")).status_code == 400
    assert ended(desk) == [False]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own, of the library that it is made with
def test_in_and_out_at_a_provider_of_somebody_elses_making(
    desk: Office, owner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        written = oidc.SECRETS.read_text().splitlines()
        metadata = f'server_metadata_url = "{issuer}/.well-known/openid-configuration"'
        oidc.SECRETS.write_text(
            "\n".join(metadata if line.startswith("server_metadata") else line for line in written)
        )
        request_context.use(desk.desk)
        with owner.transaction() as session:
            session.execute(
                update(Staff)
                .where(Staff.id == desk.staff[Role.MEDIATOR])
                .values(issuer=issuer, subject="mia")
            )
        with browser_of(desk) as browser:
            there = httpx.post(leave(browser), data={"sub": "mia"})
            back = there.headers["location"]
            assert back.startswith(BACK)
            answer = browser.get(back.removeprefix("http://127.0.0.1:8501"), headers=HTML)
            assert (answer.status_code, answer.headers["location"]) == (303, "/disputes")
            assert browser.get("/disputes", headers=HTML).text == "inside"
            browser.post("/sign-out", headers=ORIGIN)
            page = browser.get("/sign-out/provider", headers=HTML).text
            onward = page.split('content="0;url=')[1].split('"')[0].replace("&amp;", "&")
            asks = httpx.get(onward)
            assert asks.status_code == 200
            assert "http://127.0.0.1:8501/sign-in" in asks.text
