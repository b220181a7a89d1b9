"""What makes a mediator quick: similar cases beside the decision, and keys for what is pressed all day."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.actions.cases import settlement_proposals
from core.db import Database
from core.money import Money
from core.queries import disputes, precedents
from core.queries.precedents import Precedents
from tests import builders
from tests.builders import Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def like(town: Town, but: int, **other: str) -> Precedents:
    asked = {"platform": "home_services", "reason": "INCOMPLETE", **other}
    return town.read(lambda s: precedents.like(s, but=but, **asked))


def test_similar_cases_are_counted_and_a_median_is_told_of_five(town: Town) -> None:
    first = builders.in_mediation(town)
    assert "No similar case has ended yet" in words(visit(town, "mia", "case", id=first.case))
    for share in (20_000, 60_000, None):
        told = builders.in_mediation(town)
        builders.decided(town, told, builders.a_draft(told, release=Money(share, "USD") if share else None))
        town.wait(days=2)
    agreed = builders.disputed(town)
    offer = town.act(
        settlement_proposals.propose, town.payer, case_id=agreed.case, release=Money(50_000, "USD"), note=""
    )
    town.act(settlement_proposals.accept, town.payee, proposal_id=offer.id)
    assert like(town, first.case) == Precedents(released=1, divided=2, refunded=0, agreed=1, middle_bps=3_056)
    assert like(town, first.case).median_bps is None
    assert like(town, first.case, reason="DAMAGE").total == 0
    assert like(town, first.case, platform="legal_services").total == 0
    shown = words(visit(town, "mia", "case", id=first.case))
    assert "4 similar cases" in shown
    assert "Median share released" not in shown
    last = builders.in_mediation(town)
    builders.decided(town, last, builders.a_draft(last, release=Money(54_000, "USD")))
    town.wait(days=2)
    assert like(town, first.case).median_bps == 3_000
    assert "Median share released: 30 %." in words(visit(town, "mia", "case", id=first.case))


def test_the_case_at_hand_is_no_precedent_of_itself(town: Town) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    assert like(town, told.case).total == 0


def test_next_and_previous_go_through_ones_own_cases_in_the_order_of_the_queue(town: Town) -> None:
    first, second, other, third = (
        builders.in_mediation(town, mediator=who) for who in ("mia", "mia", "max", "mia")
    )
    me = town.staff["mia"]

    def beside(case: int) -> tuple[int | None, int | None]:
        return town.read(lambda s: disputes.neighbours(s, case, me=me))

    assert beside(first.case) == (None, second.case)
    assert beside(second.case) == (first.case, third.case)
    assert beside(other.case) == (second.case, third.case)
    assert beside(third.case) == (second.case, None)
    app = visit(town, "mia", "case", id=second.case)
    app.button(key="case-next").click().run()
    assert f"D-{third.case} · " in app.title[0].value.replace("\\", "")
