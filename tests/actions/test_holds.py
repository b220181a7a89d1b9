"""Holds stop money for the payee wherever it has come, and nothing else; lifting one lets it go on."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.milestones import verification
from core.actions.risk import holds, lift_preview
from core.actions.risk.holds import HoldAlreadyLifted
from core.db import Database
from core.errors import ReasonMissing
from core.money import Money
from core.processes.outgoing import dispatch
from core.queries.cases import case
from core.queries.holds import candidates
from core.records import Hold, Notification, Payout
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.holds import NothingToHold, ReleaseBlocked
from core.rules.permissions import NotPermitted
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.builders import Told
from tests.sandbox_desk import Market


def stop(market: Market, told: Told, *, by: str = "cora") -> Hold:
    return market.act(
        holds.place, market.as_staff(by), milestone_id=told.milestone, reason="A report came in."
    )


def lift(market: Market, held: Hold, *, by: str = "ada") -> None:
    market.act(holds.lift, market.as_staff(by), hold_id=held.id, reason="The report was about another house.")


def test_an_approval_under_a_hold_is_kept_and_paid_when_the_hold_is_lifted(market: Market) -> None:
    told = market.submitted()
    held = stop(market, told)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.later(hours=2)
    assert (market.status(told), market.order(told)) == ("VERIFIED", {"held": 100_000})
    lift(market, held)
    assert market.order(told) == {"payable": 100_000}
    market.work()
    assert market.status(told) == "COMPLETED"
    market.lawful()


def test_silence_approves_under_a_hold_but_pays_nothing(market: Market) -> None:
    told = market.submitted()
    stop(market, told)
    market.later(days=7)
    assert (market.status(told), market.order(told)) == ("VERIFIED", {"held": 100_000})


def test_while_one_of_two_holds_is_left_nothing_is_released(market: Market) -> None:
    told = market.submitted()
    first, second = stop(market, told), stop(market, told, by="fay")
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    lift(market, first)
    assert market.order(told) == {"held": 100_000}
    lift(market, second)
    assert market.order(told) == {"payable": 100_000}


def test_a_hold_stops_a_decision_and_says_why(market: Market) -> None:
    told = market.in_mediation()
    held = stop(market, told)
    with pytest.raises(ReleaseBlocked, match="A report came in"):
        builders.decided(market, told)
    lift(market, held)
    assert builders.decided(market, told).status == "EXECUTED"


def test_a_hold_placed_after_the_release_stops_the_transfer_at_dispatch(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    held = stop(market, told)
    market.later(hours=1)
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, market.sent("/v1/transfers")) == ("BLOCKED", [])
    assert "A report came in" in (transfer.last_error or "")
    lift(market, held)
    market.later(minutes=5)
    assert market.status(told) == "COMPLETED"
    assert len(market.sent("/v1/transfers")) == 1
    market.lawful()


def test_a_hold_placed_after_the_transfer_stops_the_payout(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    (transfer,) = market.operations("TRANSFER")
    dispatch.send(market.desk, transfer.id)
    held = stop(market, told)
    market.later(hours=1)
    (payout,) = market.operations("PAYOUT")
    assert (payout.status, market.sent("/v1/payouts")) == ("BLOCKED", [])
    foretold = market.read(lambda s: lift_preview.foresee(s, held.id))
    assert (foretold.pays, foretold.waits, foretold.over) == (Money(100_000, "USD"), None, False)
    lift(market, held)
    market.later(minutes=5)
    market.later(days=3)
    assert [each.status for each in market.all(Payout)] == ["PAID"]
    market.lawful()


def test_a_milestone_that_is_over_cannot_be_held_even_in_sql(market: Market, owner: Database) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    with pytest.raises(NothingToHold, match="is over"):
        stop(market, told)
    raw = "insert into holds (milestone_id, kind, reason, placed_at) values (:m, 'MANUAL', 'Late.', now())"
    with pytest.raises(IntegrityError, match="is over"), owner.reading() as session:
        session.execute(text(raw), {"m": told.milestone})
    market.work()
    assert market.order(told) == {"refunded": 100_000}
    assert not [each for each in market.all(Notification) if each.template == "hold_placed"]
    assert not market.read(lambda s: candidates(s, f"M-{told.milestone}"))
    assert not market.read(lambda s: case(s, told.case, staff_id=None)).can_hold


def test_lifting_a_hold_of_a_milestone_that_ended_meanwhile_promises_nothing(market: Market) -> None:
    told = market.submitted()
    held = stop(market, told)
    bank_says(market, charged_back(market, told), "lost")
    assert market.status(told) == "REFUNDED"
    assert market.read(lambda s: lift_preview.foresee(s, held.id)).over
    lift(market, held)
    (said,) = [each for each in market.all(Notification) if each.template == "hold_released"]
    assert "None of this milestone's money is with us for you now" in " ".join(said.text.split())
    assert "$1,000.00" not in said.text


def test_a_hold_keeps_a_decision_that_is_cooling_off_from_being_carried_out(market: Market) -> None:
    market.newcomers(platform="legal_services")
    told = market.in_mediation(project_type="DOCUMENT_REVIEW")
    builders.decided(market, told)
    stop(market, told)
    market.later(days=2)
    assert market.order(told) == {"held": 100_000}


def test_only_compliance_and_administrators_lift_holds(market: Market) -> None:
    told = market.submitted()
    held = stop(market, told, by="mia")
    for subject in ("mia", "fay"):
        with pytest.raises(NotPermitted):
            lift(market, held, by=subject)
    lift(market, held, by="ada")
    with pytest.raises(HoldAlreadyLifted):
        lift(market, held)


def test_a_hold_needs_a_reason(market: Market) -> None:
    told = market.submitted()
    with pytest.raises(ReasonMissing):
        market.act(holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="  ")
    held = stop(market, told)
    with pytest.raises(ReasonMissing):
        market.act(holds.lift, market.as_staff("ada"), hold_id=held.id, reason="")


def test_a_payee_who_withdraws_by_hand_keeps_the_money_payable(market: Market) -> None:
    market.withdraws_by_hand()
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    assert market.order(told) == {"payable": 100_000}
    assert (market.status(told), market.count(Payout)) == ("COMPLETED", 0)
    held = stop(market, told)
    foretold = market.read(lambda s: lift_preview.foresee(s, held.id))
    assert (foretold.pays, foretold.waits) == (None, Money(100_000, "USD"))
    assert [each.status for each in market.milestones(told.project)] == ["COMPLETED", "AWAITING_FUNDING"]
    market.lawful()
