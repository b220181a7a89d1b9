"""Events to marketplaces on the page Operations: what was sent, how each try ended, and how one is sent again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.api.http import api_keys
from core.api.webhooks import delivery, endpoints
from core.db import Database
from core.records import EventDelivery, OutgoingEvent
from core.rules.webhooks import EventStatus
from dashboard import request_context
from tests import builders, unrecorded
from tests.builders import Town
from tests.pages.test_finance_pages import statements
from tests.pages.visiting import labels, serve, visit, words

TAB = {"operations-tab": "Events to marketplaces"}
ANSWER = "![x](http://evil.example) <b>busy</b>"


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def listening(town: Town) -> None:
    master = api_keys.master_key(request_context.desk().settings)
    town.act(
        endpoints.add_endpoint,
        town.as_staff("ada"),
        platform="home_services",
        url="https://market.example/events",
        master=master,
    )


def told(town: Town, status: str = "FAILED", *, answer: str | None = ANSWER) -> int:
    """The first event of a funded milestone, tried once in vain or delivered."""
    listening(town)
    builders.funded(town)

    def tried(session: Session) -> int:
        event = session.query(OutgoingEvent).order_by(OutgoingEvent.id).first()
        assert event is not None
        failed = status == "FAILED"
        event.status, event.sequence, event.tries = EventStatus(status), 1, 60 if failed else 1
        event.error = "It answered 503." if failed else None
        session.add(
            EventDelivery(
                event_id=event.id, at=town.now, status=503 if failed else 200, error=event.error, answer=answer,
                took_ms=7,
            )
        )  # fmt: skip
        session.flush()
        unrecorded.admit(session)
        return int(event.id)

    return town.database.run(tried)


def kept(town: Town, number: int) -> OutgoingEvent:
    return town.read(lambda session: session.get_one(OutgoingEvent, number))


def codes(app: AppTest) -> str:
    return " ".join(str(each.value) for each in app.code)


def listed(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["event"])


def test_an_event_shows_its_body_and_how_each_try_ended(town: Town) -> None:
    number = told(town)
    app = visit(town, "ada", "operations", **TAB, event=number)
    seen = words(app)
    assert "Given up" in seen
    assert "It answered 503." in seen
    assert "https://market.example/events" in seen
    assert f'"id": "evt_{number}"' in codes(app)
    assert '"project":' in codes(app)
    assert ANSWER in codes(app)
    assert ANSWER not in seen


def test_words_of_an_answer_are_for_administrators_and_json_is_masked_for_all(town: Town) -> None:
    number = told(town)
    app = visit(town, "fay", "operations", **TAB, event=number)
    assert ANSWER not in codes(app)
    assert "administrators see them" in words(app)

    def answers(session: Session) -> None:
        session.add(
            EventDelivery(
                event_id=number, at=town.now, status=500, error="It answered 500.", took_ms=3,
                answer='{"code": "no_such_order", "message": "Ana Lindqvist is unknown"}',
            )
        )  # fmt: skip

    town.database.run(answers)
    after = codes(visit(town, "fay", "operations", **TAB, event=number))
    assert "no_such_order" in after
    assert "Ana" not in after


@pytest.mark.parametrize("status", ["FAILED", "SENT"])
@pytest.mark.parametrize("subject", ["fay", "ada"])
def test_an_event_is_sent_again_with_the_same_id_and_a_reason(town: Town, subject: str, status: str) -> None:
    number = told(town, status)
    before = delivery.body_of(kept(town, number))
    app = visit(town, subject, "operations", **TAB, event=number)
    app.text_input(key="event-reason").set_value("The marketplace is back.").run()
    app.button(key="event-retry").click().run()
    assert not app.exception
    row = kept(town, number)
    assert (row.status, row.tries, row.error, row.next_try_at) == ("QUEUED", 0, None, town.now)
    assert delivery.body_of(row) == before
    noted = text(
        "select reason, object_id, before, after from audit_entries where action = 'staff:outgoing_event:retry'"
    )
    (entry,) = town.read(lambda session: session.execute(noted).all())
    assert tuple(entry) == (
        "The marketplace is back.",
        str(number),
        {"status": status},
        {"status": "QUEUED"},
    )


def test_compliance_reads_who_may_send_it_again(town: Town) -> None:
    app = visit(town, "cora", "operations", **TAB, event=told(town))
    assert "Finance or an administrator can send it again." in words(app)
    assert "Send again" not in labels(app)


def test_whoever_signed_in_a_while_ago_confirms_first(town: Town) -> None:
    app = visit(town, "fay", "operations", **TAB, event=told(town))
    town.wait(minutes=6)
    app.run()
    assert "Send again" not in labels(app)


def test_one_that_waits_or_whose_endpoint_was_removed_is_not_sent_again(town: Town) -> None:
    number = told(town, "SENT")
    waiting = visit(town, "fay", "operations", **TAB, event=number + 1)
    assert "a worker sends it at the time above" in words(waiting)
    assert "Send again" not in labels(waiting)
    town.act(endpoints.remove_endpoint, town.as_staff("ada"), endpoint_id=kept(town, number).endpoint_id)
    gone = visit(town, "fay", "operations", **TAB, event=number)
    assert "Its endpoint was removed, so it cannot be sent again." in words(gone)
    assert "Send again" not in labels(gone)


def test_the_list_is_filtered_by_status_marketplace_kind_and_number(town: Town) -> None:
    number = told(town)
    every = listed(visit(town, "fay", "operations", **TAB))
    assert len(every) > 2
    assert every[-1] == f"evt_{number}"
    kind = kept(town, number).kind
    for asked, expected in (
        ({"delivery": "FAILED"}, [f"evt_{number}"]),
        ({"told": f"evt_{number}"}, [f"evt_{number}"]),
        ({"marketplace": "home_services"}, every),
        ({"event-kind": kind, "delivery": "FAILED"}, [f"evt_{number}"]),
    ):
        assert listed(visit(town, "fay", "operations", **TAB, **asked)) == expected, asked
    none = visit(town, "fay", "operations", **TAB, marketplace="legal_services")
    assert not none.dataframe


def test_without_events_the_tab_says_where_they_come_from(town: Town) -> None:
    assert "No events to marketplaces" in words(visit(town, "fay", "operations", **TAB))


def test_more_events_take_no_more_statements(town: Town) -> None:
    number = told(town)

    def asked() -> int:
        with statements(town.database) as seen:
            visit(town, "fay", "operations", **TAB, event=number)
        return len(seen)

    asked()
    few = asked()
    for _ in range(3):
        builders.funded(town)
    assert asked() == few


def test_mediators_do_not_come_in(town: Town) -> None:
    assert "This page is not for your role" in words(visit(town, "mia", "operations", **TAB))
