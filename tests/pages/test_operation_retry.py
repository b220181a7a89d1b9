"""Calls that wait for a person, and unexplained money, on screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.db import Database
from core.processes import statement_matching
from core.records import OutgoingOperation, StatementLine, SuspenseItem, WebhookEvent
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.suspense import SettledAs
from tests import builders, unrecorded
from tests.builders import PEOPLE, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def in_review(town: Town) -> int:
    told = builders.in_mediation(town)
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(town, told, draft)

    def leave(session: Any) -> int:
        row = session.query(OutgoingOperation).filter_by(kind="REFUND").one()
        row.status, row.last_error = "REVIEW", "no clear answer"
        unrecorded.admit(session)
        return int(row.id)

    return town.database.run(leave)


def unexplained(town: Town, minor: int = -777) -> None:
    def find(session: Any) -> None:
        stated = StatementLine(
            id="txn_by_hand", kind="refund", reporting_category="refund", amount=minor, fee=0, net=minor,
            currency="USD", source="re_by_hand", created_at=town.now, fetched_at=town.now,
        )  # fmt: skip
        session.add(stated)
        session.flush()
        statement_matching.to_suspense(session, stated.id, now=town.now)

    town.database.run(find)


def test_finance_sends_a_call_again_with_a_reason(town: Town) -> None:
    number = in_review(town)
    app = visit(town, "fay", "operations", id=number)
    assert "Needs review." in words(app)
    app.text_input(key="operation-reason").set_value("Stripe was down.").run()
    press(app, "Send again")
    assert town.read(lambda s: s.get_one(OutgoingOperation, number)).status == "QUEUED"


BODY = {
    "id": "evt_1",
    "data": {"object": {"id": "re_1", "billing_details": {"name": "Ana ![x](http://evil.example)"}}},
}


def given_up(town: Town) -> str:
    def leave(session: Any) -> str:
        event = WebhookEvent(
            id="evt_1", kind="refund.updated", object_id="re_1", payload=BODY, status="FAILED", tries=8,
            error="Stripe did not answer.", next_try_at=town.now, created_at=town.now, received_at=town.now,
            finished_at=town.now,
        )  # fmt: skip
        session.add(event)
        session.flush()
        unrecorded.admit(session)
        return event.id

    return town.database.run(leave)


def test_finance_takes_up_a_webhook_that_was_given_up(town: Town) -> None:
    event = given_up(town)
    chosen = {"operations-tab": "Webhook inbox", "about": event}
    shown = visit(town, "cora", "operations", **chosen)
    assert "Apply again" not in labels(shown)
    assert "Finance or an administrator can retry it." in words(shown)
    app = visit(town, "fay", "operations", **chosen)
    assert "Given up: it is not retried automatically." in words(app)
    app.text_input(key="webhook-reason").set_value("Stripe answers again.").run()
    press(app, "Apply again")
    assert town.read(lambda s: s.get_one(WebhookEvent, event)).status == "RECEIVED"
    noted = text("select reason, object_id from audit_entries where action = 'staff:webhook_event:retry'")
    assert tuple(town.read(lambda s: s.execute(noted).one())) == ("Stripe answers again.", event)


def test_a_webhook_shows_its_body_as_text_with_masks(town: Town) -> None:
    app = visit(town, "fay", "operations", **{"operations-tab": "Webhook inbox", "about": given_up(town)})
    (body,) = [str(each.value) for each in app.code]
    assert '"id": "re_1"' in body
    assert '"name": "•••"' in body
    assert "evil.example" not in body + words(app)


def test_an_event_that_has_waited_for_an_hour_rings_on_the_overview(town: Town) -> None:
    assert "Could not be applied" not in words(visit(town, "fay", "overview"))
    event = given_up(town)
    assert "**Could not be applied:** 1 event from Stripe. Each says why." in words(
        visit(town, "fay", "overview")
    )

    def queue_again(session: Any) -> None:
        row = session.get_one(WebhookEvent, event)
        row.status, row.received_at, row.error = "RECEIVED", town.now, "No answer."
        unrecorded.admit(session)

    town.database.run(queue_again)
    assert "Waiting too long" not in words(visit(town, "fay", "overview"))
    town.wait(minutes=61)
    assert "**Waiting too long:** event from Stripe (1 h" in words(visit(town, "fay", "overview"))


def test_who_may_not_send_again_reads_who_may(town: Town) -> None:
    app = visit(town, "cora", "operations", id=in_review(town))
    assert "Finance or an administrator decides" in words(app)
    assert "Send again" not in labels(app)


def test_finance_says_what_unexplained_money_was_and_someone_else_agrees(town: Town) -> None:
    unexplained(town)
    app = visit(town, "fay", "reconciliation")
    assert [list(each) for each in app.dataframe[0].value["class_"]] == [["Made at Stripe"]]
    (item,) = town.read(lambda s: s.query(SuspenseItem).all())
    app.multiselect(key="suspense-items").set_value([item.id]).run()
    offered = app.selectbox(key="suspense-as").options
    assert "Kept by a bank" in offered
    assert not {"A payee has paid what they owe", "Offset against each other"} & set(offered)
    app.selectbox(key="suspense-as").set_value(SettledAs.CONCESSION).run()
    app.text_input(key="suspense-reason").set_value("Refunded by hand.").run()
    press(app, "Submit for approval")
    own = visit(town, "fay", "reconciliation")
    assert "someone else must approve it" in words(own)
    own.text_input(key=f"suspense-{item.id}-reason").set_value("It was another one.").run()
    press(own, "Withdraw")
    again = visit(town, "fay", "reconciliation")
    again.multiselect(key="suspense-items").set_value([item.id]).run()
    again.text_input(key="suspense-reason").set_value("Refunded by hand.").run()
    again.selectbox(key="suspense-as").set_value(SettledAs.CONCESSION).run()
    press(again, "Submit for approval")
    assert "Submit for approval" not in labels(visit(town, "fay", "reconciliation"))
    other = visit(town, "cora", "reconciliation")
    assert "Refunded by hand." in words(other)
    assert {"Approve and post", "Reject"} <= set(labels(other))
    other.text_input(key=f"suspense-{item.id}-reason").set_value("Seen at Stripe.").run()
    press(other, "Approve and post")
    (item,) = town.read(lambda s: s.query(SuspenseItem).all())
    assert (item.status, item.settled_as) == ("SETTLED", "CONCESSION")
    after = words(visit(town, "fay", "reconciliation"))
    assert "No open breaks" in after
    assert "Cleared items" in after


@pytest.mark.parametrize("subject", [each for each in PEOPLE if each in ("cora", "ada")])
def test_others_see_unexplained_money_and_leave_it_to_finance(town: Town, subject: str) -> None:
    unexplained(town)
    app = visit(town, subject, "reconciliation")
    assert "Open breaks (1)" in words(app)
    assert "Submit for approval" not in labels(app)
