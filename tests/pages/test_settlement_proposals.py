"""Offers on the page of a case: what stands, what was agreed, and that staff only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.actions.cases import settlement_proposals
from core.db import Database
from core.money import Money
from core.records import SettlementProposal
from dashboard.ui import deadlines
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def offered(town: Town, told: Told, *, note: str = "") -> SettlementProposal:
    return town.act(
        settlement_proposals.propose, town.payer, case_id=told.case, release=Money(60_000, "USD"), note=note
    )


def test_a_case_without_offers_says_nothing_of_them(town: Town) -> None:
    told = builders.in_mediation(town)
    assert "Offer" not in words(visit(town, "mia", "case", id=told.case))


@pytest.mark.parametrize("subject", PEOPLE)
def test_everyone_of_staff_sees_the_offer_that_stands_and_nobody_can_answer_it(
    town: Town, subject: str
) -> None:
    told = builders.in_mediation(town)
    offered(town, told, note="<b>Please</b> take it.")
    app = visit(town, subject, "case", id=told.case)
    shown = words(app)
    for expected in (
        "Settlement proposal",
        "$600.00",
        "in 3 days",
        "&lt;b&gt;Please&lt;/b&gt; take it.",
    ):
        assert expected in shown
    if subject == "mia":
        assert "You have agreed" not in shown
        app.toggle(key="settlement-letters-1").set_value(True).run()
        assert not app.exception
        for expected in ("When the other side accepts", "When the refund and the payout have been sent"):
            assert expected in words(app)
    assert not {"Accept", "Decline"} & set(labels(app))
    assert ("Preview plan" in labels(app)) == (subject in ("mia", "max"))


def test_an_agreement_closes_the_case_and_is_told(town: Town) -> None:
    told = builders.disputed(town)
    offer = offered(town, told)
    town.act(settlement_proposals.accept, town.payee, proposal_id=offer.id)
    builders.carry_out(town)
    app = visit(town, "mia", "case", id=told.case)
    shown = words(app)
    for expected in ("Agreement", "closed by the parties", "Ana Lindqvist", "Ben Okafor", "Accepted"):
        assert expected in shown
    app.toggle(key=f"settlement-letters-{offer.id}").set_value(True).run()
    assert f"Written {deadlines.exact(town.now)}" in words(app)
    assert "nothing was decided here" not in shown
    assert "Preview plan" not in labels(app)
    past = words(visit(town, "mia", "case", id=told.case, tab="Timeline"))
    assert "Settlement proposal made" in past
    assert "Settlement proposal accepted: the parties agree" in past


def test_what_was_declined_stays_on_record(town: Town) -> None:
    told = builders.in_mediation(town)
    offer = offered(town, told)
    town.act(settlement_proposals.decline, town.payee, proposal_id=offer.id)
    shown = words(visit(town, "mia", "case", id=told.case))
    assert "Earlier proposals" in shown
    assert "Declined" in shown
