"""Nobody gets in without a session that is alive, and no other site gets anything done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.actions.staff import invitations, sessions
from core.rules.permissions import SYSTEM, Actor, Role
from dashboard.request_context import COOKIE
from tests.dashboard.desk_fixtures import HTML, ORIGIN, Office, browser_of, sign_in
from tests.database import as_owner

STREAM = "ws://127.0.0.1:8501/_stcore/stream"
PRIVATE = [
    "/disputes",
    "/_stcore/upload_file/x",
    "/_stcore/host-config",
    "/media/x.png",
    "/static/js/a.js",
    "/x",
]


def test_a_stranger_who_asks_for_a_page_is_led_to_sign_in_and_back_afterwards(http: TestClient) -> None:
    answer = http.get("/case?id=3&tab=money", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/case%3Fid%3D3%26tab%3Dmoney"


@pytest.mark.parametrize("path", PRIVATE)
def test_a_stranger_gets_401_for_anything_that_is_not_a_page(http: TestClient, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.text) == (401, "Sign in first.")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_stranger_cannot_change_anything_even_with_an_html_accept(http: TestClient, method: str) -> None:
    assert http.request(method, "/_stcore/upload_file/x", headers=HTML).status_code == 401


def test_a_strangers_websocket_is_closed(http: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, http.websocket_connect(STREAM, headers=dict(ORIGIN)):
        pass
    assert refused.value.code == 1008


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/sign-in"])
def test_what_must_be_open_is_open(http: TestClient, path: str) -> None:
    assert http.get(path).status_code == 200


def test_whoever_signed_in_is_inside(http: TestClient, office: Office) -> None:
    assert sign_in(http, office).status_code == 303
    for path in PRIVATE:
        if not path.startswith("/media/"):  # those are for the tab that shows them
            assert http.get(path).text == "inside", path
    assert http.get("/media/x.png").status_code == 404
    with http.websocket_connect(STREAM, headers=dict(ORIGIN)) as socket:
        assert socket.receive_text() == "inside"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(http: TestClient, office: Office) -> None:
    cookie = sign_in(http, office).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert not {"max-age", "expires"} & set(cookie.split("; "))


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "' or 1=1 --", "../../etc"])
def test_a_forged_cookie_is_no_cookie(http: TestClient, token: str) -> None:
    assert http.get("/disputes", headers={"cookie": f"{COOKIE}={token}"}).status_code == 401


def test_the_stored_hash_is_not_a_key(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    with office.desk.database.reading() as session:
        stored = session.scalar(text("select encode(token_hash, 'hex') from staff_sessions"))
    http.cookies.clear()
    assert http.get("/disputes", headers={"cookie": f"{COOKIE}={stored}"}).status_code == 401


def test_fifteen_minutes_of_silence_end_a_session(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    office.clock.advance(sessions.IDLE - timedelta(seconds=1))
    assert http.get("/disputes").status_code == 200
    office.clock.advance(timedelta(seconds=1))
    assert http.get("/disputes").status_code == 401


def test_eight_hours_end_a_session_however_busy(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    token = http.cookies[COOKIE]
    for _ in range(48):
        office.clock.advance(timedelta(minutes=10) - timedelta(milliseconds=1))
        assert http.get("/disputes").status_code == 200
        with office.desk.database.transaction() as session:
            sessions.resolve(session, token, now=office.clock())
    office.clock.advance(timedelta(seconds=1))
    assert http.get("/disputes").status_code == 401


def test_a_revoked_session_is_over_at_once(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    with office.desk.database.transaction() as session:
        session.execute(text("update staff_sessions set revoked_at = now()"))
    assert http.get("/disputes").status_code == 401
    with pytest.raises(WebSocketDisconnect), http.websocket_connect(STREAM, headers=dict(ORIGIN)):
        pass


def test_someone_made_inactive_is_out_at_once(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    with as_owner(office.desk.database) as session:
        session.execute(text("update staff set active = false where email like 'mediator%'"))
    assert http.get("/disputes").status_code == 401


def test_signing_out_ends_the_session_and_not_only_the_cookie(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    token = http.cookies[COOKIE]
    answer = http.post("/sign-out", headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in http.cookies
    assert http.get("/disputes", headers={"cookie": f"{COOKIE}={token}"}).status_code == 401


def test_a_link_cannot_sign_anyone_out(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    http.get("/sign-out", headers=HTML)
    assert http.get("/disputes").status_code == 200


CROSS_SITE = [
    {"origin": "https://evil.example"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/_stcore/upload_file/x"])
def test_a_form_on_another_site_gets_nothing_done(
    http: TestClient, office: Office, path: str, headers: dict[str, str]
) -> None:
    sign_in(http, office)
    staff = {"staff": str(office.staff[Role.ADMINISTRATOR])}
    assert http.post(path, data=staff, headers=headers).status_code == 403
    assert http.get("/disputes").status_code == 200


@pytest.mark.parametrize("headers", CROSS_SITE[:3])
def test_a_websocket_of_another_site_is_closed(
    http: TestClient, office: Office, headers: dict[str, str]
) -> None:
    sign_in(http, office)
    with pytest.raises(WebSocketDisconnect), http.websocket_connect(STREAM, headers=dict(headers)):
        pass


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "", "a b", "x:y"]
)
def test_the_desk_answers_to_its_own_name_only(http: TestClient, host: str) -> None:
    assert http.get("/sign-in", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "LOCALHOST", "localhost.", "[::1]:8501"])
def test_loopback_has_several_names(http: TestClient, host: str) -> None:
    assert http.get("/sign-in", headers={"host": host}).status_code == 200


def test_the_start_leads_to_the_page_of_the_role(
    http: TestClient, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dashboard.navigation.on_disk", lambda: {"disputes": None, "overview": None, "audit": None}
    )
    for role, page in [(Role.MEDIATOR, "disputes"), (Role.FINANCE, "overview"), (Role.COMPLIANCE, "audit")]:
        sign_in(http, office, role)
        assert http.get("/").headers["location"] == f"/{page}"


def test_nobody_signs_in_from_another_machine_by_picking_a_name(office: Office) -> None:
    with browser_of(office, host="192.0.2.7") as afar:
        assert 'name="staff"' not in afar.get("/sign-in").text
        assert sign_in(afar, office).status_code == 403


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_nobody_signs_in_through_a_proxy_by_picking_a_name(office: Office, header: str) -> None:
    with browser_of(office) as client:
        client.headers[header] = "127.0.0.1"
        assert 'name="staff"' not in client.get("/sign-in").text
        assert sign_in(client, office).status_code == 403


@pytest.mark.parametrize(
    "change",
    [{"demo": False}, {"stripe_api_key": "sk_live_x"}, {"stripe_api_key": "rk_live_x"}, {"host": "0.0.0.0"}],
)
def test_picking_a_name_needs_every_condition_of_a_demo(office: Office, change: dict[str, object]) -> None:
    for name, value in change.items():
        setattr(office.desk.settings, name, value)
    with browser_of(office) as client:
        assert 'name="staff"' not in client.get("/sign-in").text
        assert sign_in(client, office).status_code == 403


def test_picking_a_name_needs_a_database_that_bears_the_mark(office: Office, owner) -> None:
    with owner.transaction() as session:
        session.execute(text("update installation set demo = false"))
    with browser_of(office) as client:
        assert sign_in(client, office).status_code == 403


@pytest.mark.parametrize(
    "staff", ["", "0", "999999", "9" * 30, "9" * 5_000, "-1", "²", "x", "1; drop table staff"]
)
def test_only_people_who_exist_can_be_picked(http: TestClient, staff: str) -> None:
    assert http.post("/sign-in", data={"staff": staff}, headers=ORIGIN).status_code == 403


def test_sessions_are_audited_without_the_token(http: TestClient, office: Office, owner) -> None:
    sign_in(http, office)
    token = http.cookies[COOKIE]
    http.post("/sign-out", headers=ORIGIN)
    with owner.reading() as session:
        entries = session.execute(
            text("select action, actor_id, to_jsonb(e)::text from audit_entries e order by id")
        ).all()
    assert [(action, who) for action, who, _ in entries] == [
        ("staff:session:begin", office.staff[Role.MEDIATOR]),
        ("staff:session:end", office.staff[Role.MEDIATOR]),
    ]
    assert not any(token in whole for _, _, whole in entries)


def test_only_who_manages_staff_ends_the_session_of_someone_else(office: Office) -> None:
    from core.rules.permissions import NotPermitted

    with office.desk.database.transaction() as session:
        token = sessions.sign_in(session, staff_id=office.staff[Role.FINANCE], now=office.clock())
        theirs = sessions.resolve(session, token, now=office.clock())
        assert theirs
        for actor in (
            SYSTEM,
            theirs.actor.__class__("staff", office.staff[Role.MEDIATOR], frozenset({Role.MEDIATOR})),
        ):
            with pytest.raises(NotPermitted):
                sessions.revoke(
                    session,
                    session_id=theirs.session_id,
                    actor=actor,
                    now=office.clock(),
                    reason="A lost laptop",
                )


def test_in_a_demo_an_invited_colleague_joins_without_a_role(http: TestClient, office: Office) -> None:
    ada = Actor("staff", office.staff[Role.ADMINISTRATOR], frozenset({Role.ADMINISTRATOR}), office.clock())
    asked = {
        "email": "nell@example.com",
        "name": "Nell Hart",
        "roles": [Role.MEDIATOR],
        "reason": "Kitchens.",
    }
    made = office.desk.database.run(lambda s: invitations.invite(s, ada, now=office.clock(), **asked))
    assert "Join as Nell Hart" in http.get(f"/sign-in?invitation={made.token}", headers=HTML).text
    answer = http.post("/sign-in", data={"invitation": made.token}, headers=ORIGIN)
    assert answer.status_code == 303
    held = text(
        "select count(*) from staff_roles r join staff s on s.id = r.staff_id where s.name = 'Nell Hart'"
    )
    with office.desk.database.reading() as session:
        assert session.scalar(held) == 0
    assert http.post("/sign-in", data={"invitation": made.token}, headers=ORIGIN).status_code == 403


def test_signing_in_as_somebody_else_ends_the_old_session(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    old = http.cookies[COOKIE]
    sign_in(http, office, Role.FINANCE)
    assert http.cookies[COOKIE] != old
    http.cookies.set(COOKIE, old)
    http.cookies.clear()
    http.cookies.set(COOKIE, old)
    assert http.get("/disputes").status_code == 401


def test_a_session_keeps_its_address_and_browser(http: TestClient, office: Office) -> None:
    agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0 Safari/537.36"}
    http.post("/sign-in", data={"staff": str(office.staff[Role.MEDIATOR])}, headers=ORIGIN | agent)
    with office.desk.database.reading() as session:
        found = session.execute(text("select address, browser from staff_sessions")).one()
    assert tuple(found) == ("127.0.0.1", "Chrome on Linux")
