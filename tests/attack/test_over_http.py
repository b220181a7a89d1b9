"""Over real connections: a session that is not open opens no page, no file and no websocket; nor does another site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core.actions.staff import sessions
from core.rules.permissions import Role
from dashboard import navigation
from dashboard.request_context import COOKIE
from tests.attack.conftest import Served
from tests.dashboard.desk_fixtures import HTML, Office
from tests.database import as_owner

FILES = ("/media/x.png", "/_stcore/upload_file/x", "/_stcore/host-config", "/static/js/a.js", "/app/static/x")
PAGES = ("/", *(f"/{entry.name}" for entry in navigation.ENTRIES))


def signed_in(office: Office, role: Role = Role.ADMINISTRATOR) -> str:
    with office.desk.database.transaction() as session:
        return sessions.sign_in(session, staff_id=office.staff[role], now=office.clock())


def sql(office: Office, statement: str) -> None:
    with office.desk.database.transaction() as session:
        session.execute(text(statement))


def its_hash(office: Office, token: str) -> str:
    with office.desk.database.reading() as session:
        return str(session.scalar(text("select encode(token_hash, 'hex') from staff_sessions")))


def silent(office: Office, token: str) -> str:
    office.clock.advance(sessions.IDLE)
    return token


def old(office: Office, token: str) -> str:
    until = office.clock() + sessions.ABSOLUTE
    while office.clock() < until:
        with office.desk.database.transaction() as session:
            sessions.resolve(session, token, now=office.clock())
        office.clock.advance(timedelta(minutes=10))
    return token


def signed_out(office: Office, token: str) -> str:
    with office.desk.database.transaction() as session:
        sessions.sign_out(session, token, now=office.clock())
    return token


def revoked(office: Office, token: str) -> str:
    sql(office, "update staff_sessions set revoked_at = now()")
    return token


def gone(office: Office, token: str) -> str:
    with as_owner(office.desk.database) as session:
        session.execute(
            text("update staff set active = false where id = :id"), {"id": office.staff[Role.MEDIATOR]}
        )
    return token


STATES: dict[str, Callable[[Office, str], str]] = {
    "none": lambda office, token: "",
    "made up": lambda office, token: "a" * len(token),
    "cut short": lambda office, token: token[:-1],
    "the hash that is stored": its_hash,
    "silent for 15 minutes": silent,
    "8 hours old": old,
    "signed out": signed_out,
    "revoked": revoked,
    "of somebody who left": gone,
}


def cookie(token: str) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={token}"} if token else {}


def opens_a_websocket(served: Served, **headers: str) -> bool:
    try:
        with connect(f"ws://{served.place}/_stcore/stream", additional_headers=headers) as stream:
            return stream.recv() == "inside"
    except InvalidStatus:
        return False


@pytest.mark.parametrize("state", STATES)
def test_no_state_of_a_session_but_an_open_one_opens_anything(
    office: Office, served: Served, state: str
) -> None:
    open_one = signed_in(office, Role.MEDIATOR)
    own = {"origin": f"http://{served.place}"}
    with httpx.Client(base_url=f"http://{served.place}") as client:
        assert client.get("/disputes", headers={**HTML, **cookie(open_one)}).text == "inside"
        assert opens_a_websocket(served, **own, **cookie(open_one))
        carried = cookie(STATES[state](office, open_one))
        for page in PAGES:
            answer = client.get(page, headers={**HTML, **carried})
            assert answer.status_code == 303, page
            assert answer.headers["location"].startswith("/sign-in"), page
        for path in (*PAGES, *FILES):
            assert client.get(path, headers=carried).status_code == 401, path
            for method in ("POST", "PUT", "DELETE"):
                answer = client.request(method, path, headers={**own, **carried})
                assert answer.status_code == 401, (method, path)
        assert not opens_a_websocket(served, **own, **carried)


def test_another_site_gets_neither_the_websocket_nor_anything_done(office: Office, served: Served) -> None:
    mine = cookie(signed_in(office))
    for origin in (
        "https://evil.example",
        "null",
        f"http://{served.place}.evil.example",
        "http://127.0.0.1:1",
    ):
        assert not opens_a_websocket(served, origin=origin, **mine), origin
        for path in ("/sign-out", "/_stcore/upload_file/x", "/sign-in"):
            answer = httpx.post(f"http://{served.place}{path}", headers={"origin": origin, **mine})
            assert answer.status_code == 403, (origin, path)
    assert httpx.get(f"http://{served.place}/disputes", headers={**HTML, **mine}).text == "inside"


def test_under_another_name_the_desk_answers_nobody(office: Office, served: Served) -> None:
    mine = cookie(signed_in(office))
    for host in ("evil.example", f"evil.example:{served.place.partition(':')[2]}", "127.0.0.1.evil.example"):
        for path in ("/", "/disputes", "/sign-in"):
            answer = httpx.get(f"http://{served.place}{path}", headers={**HTML, **mine, "host": host})
            assert answer.status_code in (400, 403, 421), (host, path)
            assert "inside" not in answer.text
