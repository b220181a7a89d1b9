"""Signing in through OpenID Connect: the right person gets in, by (issuer, subject), and nobody else by any trick."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select, text, update
from starlette.responses import Response
from starlette.testclient import TestClient

from core.actions.staff import invitations
from core.db import Database
from core.records.people import Staff, StaffSession
from core.rules.permissions import Actor, Role
from dashboard import oidc, request_context
from dashboard.request_context import COOKIE
from tests.dashboard.desk_fixtures import HTML, ORIGIN, Office, browser_of
from tests.dashboard.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, a_provider
from tests.database import as_owner

BACK = "http://127.0.0.1:8501/sign-in/callback"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with a_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.tell_the_truth()
    return running


@pytest.fixture
def desk(
    office: Office, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Database
) -> Office:
    """No demo: single sign-on is the only way in. The mediator is known to the provider as `m-1`."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f"""[auth]
redirect_uri = "{BACK}"
cookie_secret = "a long random text that is the same on every dashboard"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
server_metadata_url = "{provider.metadata_url}"
"""
    )
    monkeypatch.setattr(oidc, "SECRETS", secrets)
    settings = office.desk.settings.model_copy(update={"demo": False})
    known = replace(office, desk=replace(office.desk, settings=settings))
    request_context.use(known.desk)
    names = {Role.MEDIATOR: "m-1", Role.FINANCE: "f-1"}
    with owner.transaction() as session:
        session.execute(text("update installation set demo = false"))
        for role, subject in names.items():
            session.execute(
                update(Staff)
                .where(Staff.id == office.staff[role])
                .values(issuer=provider.issuer, subject=subject)
            )
    return known


@pytest.fixture
def http(desk: Office) -> Iterator[TestClient]:
    with browser_of(desk) as client:
        yield client


def leave(http: TestClient, path: str = "/sign-in/start?next=/disputes") -> str:
    """Where the desk sends the browser."""
    answer = http.get(path, headers=HTML)
    assert answer.status_code == 302
    return str(answer.headers["location"])


def come_back(http: TestClient, address: str) -> Any:
    parts = urlsplit(address)
    return http.get(f"{parts.path}?{parts.query}", headers=HTML)


def sign_in(
    http: TestClient, provider: Provider, subject: str = "m-1", path: str = "/sign-in/start?next=/disputes"
) -> Any:
    return come_back(http, provider.signs_in(leave(http, path), subject))


def sessions_of(desk: Office) -> list[StaffSession]:
    with desk.desk.database.reading() as session:
        return list(session.scalars(select(StaffSession).order_by(StaffSession.id)))


def refused(answer: Any, desk: Office, *words: str, status: int = 403) -> None:
    """A page that says why, no cookie of ours, no session row."""
    assert answer.status_code == status
    assert COOKIE not in answer.cookies
    assert 'role="alert"' in answer.text
    for each in words:
        assert each in answer.text
    assert sessions_of(desk) == []


def test_the_right_person_gets_in_and_comes_to_the_page_they_wanted(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    led = http.get("/case?id=7", headers=HTML)
    assert led.headers["location"] == "/sign-in?next=/case%3Fid%3D7"
    page = http.get(led.headers["location"], headers=HTML).text
    assert "Continue with single sign-on" in page
    assert "Some Mediator" not in page, "no list of people outside of the demo"

    answer = sign_in(http, provider, path="/sign-in/start?next=/case%3Fid%3D7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/case?id=7")
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert http.get("/case?id=7", headers=HTML).text == "inside"
    (row,) = sessions_of(desk)
    assert row.staff_id == desk.staff[Role.MEDIATOR]
    (asked,) = provider.asked
    assert (asked["code_challenge_method"], "nonce" in asked, "state" in asked) == ("S256", True, True)


def test_a_stranger_is_told_the_identity_that_an_administrator_needs(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    refused(sign_in(http, provider, "somebody"), desk, "not on the staff list", provider.issuer, "somebody")


def test_nobody_gets_in_by_an_e_mail_address(http: TestClient, desk: Office, provider: Provider) -> None:
    with desk.desk.database.reading() as session:
        email = session.get_one(Staff, desk.staff[Role.MEDIATOR]).email
    provider.claims = {"email": email, "email_verified": True, "preferred_username": "m-1"}
    refused(sign_in(http, provider, "another-account"), desk, "not on the staff list")
    refused(sign_in(http, provider, email), desk, "not on the staff list")


def test_the_same_subject_of_another_issuer_is_somebody_else(
    http: TestClient, desk: Office, provider: Provider, owner: Database
) -> None:
    with owner.transaction() as session:
        session.execute(update(Staff).values(issuer="https://another.test"))
    refused(sign_in(http, provider), desk, "not on the staff list")


def test_whoever_left_does_not_get_in(http: TestClient, desk: Office, provider: Provider) -> None:
    with as_owner(desk.desk.database) as session:
        session.execute(update(Staff).where(Staff.subject == "m-1").values(active=False))
    refused(sign_in(http, provider), desk, "not on the staff list")


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "replayed"}},
    "no nonce": {"without": ("nonce",)},
    "for another client": {"claims": {"aud": "another-application"}},
    "by another issuer": {"claims": {"iss": "https://another.test"}},
    "expired": {"claims": {"exp": int(time.time()) - 3_600, "iat": int(time.time()) - 7_200}},
    "without an end": {"without": ("exp",)},
    "without a subject": {"without": ("sub",)},
    "with an empty subject": {"claims": {"sub": ""}},
    "signed by another key": {"signs_with": RSAKey.generate_key(2048, {"kid": "one"})},
    "not signed": {"unsigned": True},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_fit_is_worth_nothing(
    http: TestClient, desk: Office, provider: Provider, lie: str
) -> None:
    for name, value in LIES[lie].items():
        setattr(provider, name, value)
    refused(sign_in(http, provider), desk, "does not fit what was asked")
    assert http.get("/disputes", headers=HTML).status_code == 303


def test_an_answer_that_this_browser_did_not_ask_for_is_worth_nothing(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    """Somebody else's answer slipped to a victim, a state that was never given, and one that was used."""
    theirs = provider.signs_in(leave(http), "f-1")
    with browser_of(desk) as victim:
        refused(come_back(victim, theirs), desk, "does not fit what was asked")
        leave(victim)
        refused(come_back(victim, theirs), desk, "does not fit what was asked")
    refused(http.get("/sign-in/callback?code=x&state=y", headers=HTML), desk, "does not fit")
    refused(http.get("/sign-in/callback", headers=HTML), desk, "does not fit")
    mine = provider.signs_in(leave(http), "m-1")
    assert come_back(http, mine).status_code == 303
    assert come_back(http, mine).status_code == 403, "a code and its state are good once"


def test_who_changes_their_mind_at_the_provider_is_back_at_the_sign_in_page(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    state = parse_qs(urlsplit(leave(http)).query)["state"][0]
    answer = http.get(f"/sign-in/callback?error=access_denied&state={state}", headers=HTML)
    refused(answer, desk, "provider refused", "Continue with single sign-on")
    said = http.get("/sign-in/callback?error=%3Cscript%3Ealert(1)%3C/script%3E", headers=HTML)
    assert "<script>" not in said.text


def test_a_provider_that_is_down_is_a_sentence(http: TestClient, desk: Office, provider: Provider) -> None:
    provider.down = True
    answer = http.get("/sign-in/start", headers=HTML)
    refused(answer, desk, "does not answer", status=503)


@pytest.mark.parametrize(
    "wanted", ["//evil.test", "https://evil.test/", "/\\evil.test", "/sign-out", "/sign-in/again"]
)
def test_nobody_is_sent_elsewhere_afterwards(
    http: TestClient, desk: Office, provider: Provider, wanted: str
) -> None:
    address = leave(http, str(http.build_request("GET", "/sign-in/start", params={"next": wanted}).url))
    assert come_back(http, provider.signs_in(address, "m-1")).headers["location"] == "/"


# -- confirming who one is, before money moves --


def authenticated_at(desk: Office) -> Any:
    (row,) = sessions_of(desk)
    return row.authenticated_at


def test_confirming_asks_the_provider_again_and_keeps_the_session(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    held, began = http.cookies[COOKIE], authenticated_at(desk)
    desk.clock.advance(timedelta(minutes=6))
    answer = sign_in(http, provider, path="/sign-in/again?next=/case%3Fid%3D7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/case?id=7")
    assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
    assert http.cookies[COOKIE] == held
    assert authenticated_at(desk) == began + timedelta(minutes=6)
    with desk.desk.database.reading() as session:
        last = "select action from audit_entries order by id desc limit 1"
        assert session.scalar(text(last)) == "staff:session:reauthenticate"


@pytest.mark.parametrize("auth_time", [None, timedelta(minutes=-5), timedelta(hours=1), "now", True, 0])
def test_a_confirmation_without_a_fresh_proof_does_not_count(
    http: TestClient, desk: Office, provider: Provider, auth_time: Any
) -> None:
    sign_in(http, provider)
    began = authenticated_at(desk)
    desk.clock.advance(timedelta(minutes=6))
    if isinstance(auth_time, timedelta):  # from now, and not from when the tests were collected
        auth_time = int(time.time() + auth_time.total_seconds())
    provider.claims = {"auth_time": auth_time}
    provider.without = ("auth_time",) if auth_time is None else ()
    answer = sign_in(http, provider, path="/sign-in/again?next=/disputes")
    assert answer.status_code == 403
    assert "cannot count" in answer.text or "does not fit" in answer.text
    assert authenticated_at(desk) == began


def test_somebody_elses_proof_does_not_confirm_this_session(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    began = authenticated_at(desk)
    answer = sign_in(http, provider, "f-1", path="/sign-in/again?next=/disputes")
    assert answer.status_code == 403
    assert "Someone else" in answer.text
    assert authenticated_at(desk) == began


def test_confirming_after_the_session_has_ended_begins_a_new_one(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    held = http.cookies[COOKIE]
    desk.clock.advance(timedelta(minutes=16))
    assert sign_in(http, provider, path="/sign-in/again?next=/disputes").status_code == 303
    assert http.cookies[COOKIE] != held
    assert len(sessions_of(desk)) == 2


def test_signing_in_anew_leaves_no_session_behind(http: TestClient, desk: Office, provider: Provider) -> None:
    sign_in(http, provider)
    sign_in(http, provider, "f-1")
    first, second = sessions_of(desk)
    assert first.revoked_at is not None
    assert (second.staff_id, second.revoked_at) == (desk.staff[Role.FINANCE], None)


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    sign_in(http, provider)
    held = http.cookies[COOKIE]
    assert http.post("/sign-out", headers=ORIGIN).headers["location"] == "/sign-out/provider"
    http.cookies.set(COOKIE, held)
    assert http.get("/disputes", headers=HTML).headers["location"].startswith("/sign-in")
    (row,) = sessions_of(desk)
    assert row.revoked_at is not None


def test_what_is_remembered_on_the_way_is_no_ones_business(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    """Signed, short, for these addresses alone, not for scripts; Secure where the desk is reached by HTTPS."""
    answer: Response = http.get("/sign-in/start?next=/disputes")  # type: ignore[assignment]
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith(oidc.UNDER_WAY)]  # type: ignore[attr-defined]
    said = cookie.lower()
    assert all(part in said for part in ("httponly", "samesite=lax", "path=/sign-in", "max-age=600"))
    http.cookies.clear()
    http.cookies.set(oidc.UNDER_WAY, cookie.split("=", 1)[1].split(";")[0][:-2] + "xx", path="/sign-in")
    state = parse_qs(urlsplit(str(answer.headers["location"])).query)["state"][0]
    refused(http.get(f"/sign-in/callback?code=x&state={state}", headers=HTML), desk, "does not fit")


def test_half_a_configuration_is_none(desk: Office, tmp_path: Path) -> None:
    assert oidc.configured() is not None
    path = tmp_path / "secrets.toml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "cookie_secret" not in line))
    assert oidc.configured() is None
    path.unlink()
    assert oidc.configured() is None


# -- by invitation --


def invited(desk: Office) -> str:
    administrator = desk.staff[Role.ADMINISTRATOR], frozenset({Role.ADMINISTRATOR}), desk.clock()
    who = Actor("staff", *administrator, via="root on desk-1")
    asked = {
        "email": "nell@example.com",
        "name": "Nell Hart",
        "roles": [Role.MEDIATOR],
        "reason": "Kitchens.",
    }
    return desk.desk.database.run(lambda s: invitations.invite(s, who, now=desk.clock(), **asked)).token


def staff_named(desk: Office, subject: str) -> str | None:
    with desk.desk.database.reading() as session:
        return session.scalar(select(Staff.name).where(Staff.subject == subject))


def test_whoever_is_invited_joins_by_signing_in(http: TestClient, provider: Provider, desk: Office) -> None:
    token = invited(desk)
    page = http.get(f"/sign-in?invitation={token}", headers=HTML)
    assert "Nell Hart, you are invited" in page.text
    assert f'href="/sign-in/start?invitation={token}"' in page.text
    provider.claims = {"email": "nell@example.com", "email_verified": True}
    answer = sign_in(http, provider, "n-1", f"/sign-in/start?invitation={token}")
    assert answer.status_code == 303
    assert staff_named(desk, "n-1") == "Nell Hart"
    over = http.get(f"/sign-in?invitation={token}", headers=HTML)
    assert "used, called off or has expired" in over.text
    # The next time they are known.
    assert sign_in(http, provider, "n-1").status_code == 303


@pytest.mark.parametrize(
    "claims", [{"email": "other@example.com"}, {"email": "nell@example.com", "email_verified": False}]
)
def test_an_invitation_is_for_its_address(
    http: TestClient, provider: Provider, desk: Office, claims: dict[str, Any]
) -> None:
    token = invited(desk)
    provider.claims = claims
    answer = sign_in(http, provider, "n-1", f"/sign-in/start?invitation={token}")
    assert answer.status_code == 403
    assert "another e-mail address" in answer.text
    assert staff_named(desk, "n-1") is None


def test_a_made_up_invitation_lets_nobody_in(http: TestClient, provider: Provider, desk: Office) -> None:
    answer = sign_in(http, provider, "n-1", "/sign-in/start?invitation=made-up")
    assert answer.status_code == 403
    assert staff_named(desk, "n-1") is None
