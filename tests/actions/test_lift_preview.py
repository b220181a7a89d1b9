"""What lifting a hold is said to do is what it does, whatever else is in the way; and nobody lifts their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.milestones import verification
from core.actions.risk import holds, lift_preview, reports
from core.actions.risk.lift_preview import LiftPreview
from core.db import Database
from core.errors import NotFound
from core.money import Money
from core.records import Decision, Hold, Party
from core.rules.holds import NO_ACCOUNT, HoldKind, OwnHold
from core.rules.permissions import SYSTEM
from core.rules.reports import ReportKind, Severity, Source
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.actions.test_decisions import legal
from tests.builders import Told
from tests.sandbox_desk import Market


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def stop(market: Market, told: Told, *, by: str = "cora") -> Hold:
    return market.act(
        holds.place, market.as_staff(by), milestone_id=told.milestone, reason="A report came in."
    )


def lift(market: Market, held: Hold, *, by: str = "ada") -> Money | None:
    return market.act(holds.lift, market.as_staff(by), hold_id=held.id, reason="It was another house.")


def foretold(market: Market, held: Hold) -> LiftPreview:
    return market.read(lambda session: lift_preview.foresee(session, held.id))


def another_hold(market: Market, told: Told) -> None:
    stop(market, told, by="fay")


def severe_event(market: Market, told: Told) -> None:
    market.act(
        reports.file,
        SYSTEM,
        project_id=told.project,
        milestone_id=None,
        kind=ReportKind.THREAT,
        source=Source.CONTENT_RULE,
        severity=Severity.SEVERE,
        details="A threat in the messages.",
    )


def chargeback(market: Market, told: Told) -> None:
    charged_back(market, told)


# What kept the money although lifting was said to release it: each is named, and nothing is promised.
IN_THE_WAY: dict[str, Callable[[Market, Told], None]] = {
    "hold": another_hold,
    "severe_content_event": severe_event,
    "chargeback": chargeback,
}


@pytest.mark.parametrize("code", IN_THE_WAY)
def test_every_other_block_is_named_and_nothing_is_promised(market: Market, code: str) -> None:
    told = market.submitted()
    held = stop(market, told)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    assert foretold(market, held).releases == usd(100_000)
    IN_THE_WAY[code](market, told)
    said = foretold(market, held)
    assert [each.code for each in said.blocks if each.code != "review"] == [code]
    assert (said.releases, said.pays, said.falls) == (None, None, None)
    assert lift(market, held) is None
    assert market.order(told) == {"held": 100_000}
    market.lawful()


def test_a_review_of_risk_is_named_too(market: Market) -> None:
    told = market.in_mediation(usd(600_000), usd(100_000))
    held = stop(market, told)
    assert [each.code for each in foretold(market, held).blocks] == ["open_case"]


def test_what_is_promised_is_released(market: Market) -> None:
    told = market.submitted()
    held = stop(market, told)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    said = foretold(market, held)
    assert (said.blocks, said.releases, said.unpaid) == ((), usd(100_000), ())
    assert lift(market, held) == usd(100_000)
    assert market.order(told) == {"payable": 100_000}


def test_where_nothing_waits_nothing_is_promised(market: Market) -> None:
    told = market.submitted()
    held = stop(market, told)
    said = foretold(market, held)
    assert (said.blocks, said.releases, said.pays, said.falls) == ((), None, None, None)
    assert lift(market, held) is None


def test_what_was_released_goes_on_unless_the_payee_has_no_account(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    held = stop(market, told)
    assert (foretold(market, held).pays, foretold(market, held).unpaid) == (usd(100_000), ())

    def forget(session: Any) -> None:
        session.get_one(Party, market.payee_id).stripe_account = None

    market.database.run(forget)
    assert foretold(market, held).unpaid == (NO_ACCOUNT,)
    lift(market, held)
    market.work()
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, transfer.last_error) == ("BLOCKED", NO_ACCOUNT.sentence)


def test_a_decision_that_waited_for_the_hold_goes_on_and_that_is_said(market: Market) -> None:
    told = legal(market)
    decision = builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    held = stop(market, told)
    market.later(hours=25)
    assert market.get(Decision, decision.id).status == "COOLING_OFF"
    said = foretold(market, held)
    assert (said.blocks, said.releases, said.goes_on, said.falls) == ((), None, told.case, None)
    lift(market, held)
    market.later(minutes=1)
    assert market.get(Decision, decision.id).status == "EXECUTED"
    assert market.order(told) == {"released": 40_000, "refunded": 60_000}


def test_whoever_placed_a_hold_does_not_lift_it_even_in_sql(market: Market, owner: Database) -> None:
    told = market.submitted()
    held = stop(market, told, by="ada")
    with pytest.raises(OwnHold):
        lift(market, held, by="ada")
    with pytest.raises(IntegrityError, match="holds_lifted_by_another"), owner.reading() as session:
        session.execute(text("update holds set released_by = placed_by, released_at = now()"))
    lift(market, held, by="cora")
    assert market.get(Hold, held.id).released_by == market.staff["cora"]


def test_what_the_desk_or_a_party_stopped_any_one_person_who_may_lifts(market: Market) -> None:
    told = market.submitted()

    def by_the_desk(session: Any) -> int:
        found = Hold(
            milestone_id=told.milestone, kind=HoldKind.RISK, reason="By itself.", placed_at=market.now
        )
        session.add(found)
        session.flush()
        return int(found.id)

    number = market.database.run(by_the_desk)
    market.act(holds.lift, market.as_staff("cora"), hold_id=number, reason="Looked into.")
    assert market.get(Hold, number).released_by == market.staff["cora"]


def test_a_hold_that_is_not_there_foretells_nothing(market: Market) -> None:
    with pytest.raises(NotFound):
        market.read(lambda session: lift_preview.foresee(session, 999))


def test_a_lost_chargeback_leaves_nothing_to_release(market: Market) -> None:
    told = market.submitted()
    held = stop(market, told)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    bank_says(market, charged_back(market, told), "lost")
    assert foretold(market, held).releases is None
