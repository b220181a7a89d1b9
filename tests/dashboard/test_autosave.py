"""`/words`: saved for whoever is signed in and for nobody else, a sign of life, and never over another tab's words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.actions.cases import unsent_text
from core.actions.staff import sessions
from core.rules import text_fields
from core.rules.permissions import Actor, Role
from dashboard.autosave import LARGEST
from dashboard.request_context import COOKIE
from tests.dashboard.desk_fixtures import ORIGIN, Office

PLACE = "case.7.message"


def enter(office: Office, http: TestClient, role: Role = Role.MEDIATOR) -> int:
    at, staff_id = office.clock(), office.staff[role]
    http.cookies.set(
        COOKIE, office.desk.database.run(lambda s: sessions.sign_in(s, staff_id=staff_id, now=at))
    )
    return staff_id


def typed(staff: int, **other: Any) -> dict[str, Any]:
    return {"staff": staff, "tab": "one", "place": PLACE, "body": "So far", "base": 0, **other}


def body(office: Office, staff_id: int) -> str:
    with office.desk.database.reading() as session:
        return unsent_text.find(session, Actor(kind="staff", id=staff_id), place=PLACE).body


def test_what_is_typed_is_saved_and_the_answer_says_when(office: Office, http: TestClient) -> None:
    me = enter(office, http)
    answer = http.post("/words", json=typed(me), headers=ORIGIN)
    assert (answer.status_code, answer.json()) == (
        200,
        {"body": "So far", "version": 1, "at": "09:30 UTC", "sent": False},
    )
    assert body(office, me) == "So far"
    assert answer.headers["cache-control"] == "no-store"


def test_typing_is_a_sign_of_life(office: Office, http: TestClient) -> None:
    me = enter(office, http)
    for number in range(4):
        office.clock.advance(timedelta(minutes=14))
        answer = http.post("/words", json=typed(me, body=f"Word {number}", base=number), headers=ORIGIN)
        assert answer.status_code == 200
    office.clock.advance(timedelta(minutes=15))
    assert http.post("/words", json=typed(me), headers=ORIGIN).status_code == 401
    assert body(office, me) == "Word 3"


def test_another_tab_is_told_what_is_there(office: Office, http: TestClient) -> None:
    me = enter(office, http)
    http.post("/words", json=typed(me), headers=ORIGIN)
    answer = http.post("/words", json=typed(me, tab="two", body="Otherwise"), headers=ORIGIN)
    assert (answer.status_code, answer.json()["body"], answer.json()["version"]) == (409, "So far", 1)
    there = http.get("/words", params={"staff": me, "place": [PLACE, "case.8.message"]}).json()
    assert list(there) == [PLACE]


def test_nothing_is_saved_or_shown_under_the_name_of_whoever_signed_in_meanwhile(
    office: Office, http: TestClient
) -> None:
    me = enter(office, http)
    http.post("/words", json=typed(me), headers=ORIGIN)
    other = enter(office, http, Role.FINANCE)
    answer = http.post("/words", json=typed(me, body="Not theirs", base=1), headers=ORIGIN)
    assert (answer.status_code, answer.json()["why"]) == (403, "someone else is signed in here now")
    assert http.get("/words", params={"staff": me, "place": PLACE}).status_code == 403
    assert (body(office, me), body(office, other)) == ("So far", "")


def test_nobody_without_a_session_saves_anything(http: TestClient) -> None:
    assert http.post("/words", json=typed(1), headers=ORIGIN).status_code == 401


def test_no_other_site_saves_anything(office: Office, http: TestClient) -> None:
    me = enter(office, http)
    foreign = {"origin": "https://evil.example"}
    assert http.post("/words", json=typed(me), headers=foreign).status_code == 403
    plain = {**ORIGIN, "content-type": "text/plain"}
    assert http.post("/words", content=b"{}", headers=plain).status_code == 415
    assert body(office, me) == ""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"place": "town.1.hall"}, 422),
        ({"body": "x" * (text_fields.LONGEST + 1)}, 422),
        ({"body": "x" * LARGEST}, 413),
        ({"base": -1}, 400),
        ({"base": 10**30}, 400),
        ({"base": 2**31}, 400),
        ({"body": None}, 400),
        ({"more": "than asked"}, 400),
        ({"tab": ""}, 400),
        ({"place": "payout.1.retry"}, 422),  # a mediator has no work there
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else str(each),
)
def test_what_cannot_be_saved_is_refused_with_its_reason(
    office: Office, http: TestClient, sent: dict[str, Any], status: int
) -> None:
    me = enter(office, http)
    answer = http.post("/words", json=typed(me, **sent), headers=ORIGIN)
    assert (answer.status_code, bool(answer.json()["why"])) == (status, True)
    assert body(office, me) == ""


def test_what_is_no_json_is_refused(office: Office, http: TestClient) -> None:
    enter(office, http)
    json = {**ORIGIN, "content-type": "application/json"}
    for content in (b"", b"[", b"\xff", b"[]"):
        assert http.post("/words", content=content, headers=json).status_code == 400
    for staff in ("x", "9" * 5_000):
        assert http.get("/words", params={"staff": staff, "place": PLACE}).status_code == 403


def test_half_a_character_is_no_fault(office: Office, http: TestClient) -> None:
    me = enter(office, http)
    content = b'{"staff":%d,"tab":"one","place":"%s","body":"a\\ud800b\\u0000","base":0}' % (
        me,
        PLACE.encode(),
    )
    answer = http.post("/words", content=content, headers={**ORIGIN, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["body"]) == (200, "a?b")
