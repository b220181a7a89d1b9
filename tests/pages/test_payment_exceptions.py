"""A payee is offered another method, and a refund that came back goes another way, on screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.db import Database
from core.records import Notification, OutgoingOperation, Payout, PayoutOffer, Refund
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.payouts import PayoutStatus
from tests import builders, unrecorded
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def failed_payout(town: Town) -> int:
    builders.decided(town, builders.in_mediation(town))

    def fail(session: Any) -> int:
        payout = session.query(Payout).one()
        payout.status, payout.failure = PayoutStatus.ADMINISTRATIVE_REVIEW, "account_closed"
        session.query(OutgoingOperation).filter_by(kind="TRANSFER").one().status = "REFUSED"
        unrecorded.admit(session)
        return int(payout.id)

    return town.database.run(fail)


def test_finance_offers_other_methods_to_the_payee(town: Town) -> None:
    number = failed_payout(town)
    app = visit(town, "fay", "payouts", id=number)
    app.text_input(key="offer-reason").set_value("The account is closed.").run()
    press(app, "Offer these to the payee")
    (offer,) = town.read(lambda s: s.query(PayoutOffer).all())
    assert sorted(offer.methods) == ["instant"]
    after = visit(town, "fay", "payouts", id=number)
    assert "the payee has not chosen yet" in words(after)
    assert not {"Offer these to the payee", "Try again"} & set(labels(after))
    told = town.read(lambda s: s.query(Notification).filter_by(template="payout_methods_offered").count())
    assert told == 1
    after.text_input(key="offer-reason").set_value("They moved to another bank.").run()
    press(after, "Withdraw the offer")
    assert {"Offer these to the payee", "Try again"} <= set(labels(visit(town, "fay", "payouts", id=number)))


def test_who_may_not_review_payouts_offers_nothing(town: Town) -> None:
    assert "Offer these to the payee" not in labels(visit(town, "cora", "payouts", id=failed_payout(town)))


def refund_came_back(town: Town) -> int:
    told = builders.in_mediation(town)
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(town, told, draft)
    builders.carry_out(town)

    def fail(session: Any) -> int:
        refund = session.query(Refund).one()
        refund.status, refund.failure = "FAILED", "lost_or_stolen_card"
        call = session.get(OutgoingOperation, refund.operation_id)
        call.status = "REVIEW"
        unrecorded.admit(session)
        return int(call.id)

    return town.database.run(fail)


def test_one_person_says_how_a_refund_went_and_another_is_asked_to_confirm(town: Town) -> None:
    number = refund_came_back(town)
    app = visit(town, "fay", "operations", id=number)
    assert "the refund came back" in words(app)
    assert "Send again" in labels(app)
    app.text_input(key="return-reference").set_value("WT-118").run()
    app.text_input(key="return-reason").set_value("The card is closed.").run()
    press(app, "Record external refund")
    mine = visit(town, "fay", "operations", id=number)
    assert "someone else must confirm it" in words(mine)
    assert not {"Confirm payment", "Send again"} & set(labels(mine))
    assert "Confirm or withdraw that before it goes again" in words(mine)
    other = visit(town, "cora", "operations", id=number)
    assert "reference WT-118" in words(other)
    assert "Confirm payment" in labels(other)


def test_a_call_that_failed_says_what_to_do_about_it(town: Town) -> None:
    failed_payout(town)
    number = town.read(lambda s: s.query(OutgoingOperation).filter_by(kind="TRANSFER").one().id)
    assert "Payout W-1 now: needs review" in words(visit(town, "fay", "operations", id=number))
