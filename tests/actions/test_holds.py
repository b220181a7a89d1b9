"""Holds stop money for the payee wherever it has come, and nothing else; lifting one lets it go on."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from core.actions.milestones import verification
from core.actions.risk import holds
from core.actions.risk.holds import HoldAlreadyLifted
from core.errors import ReasonMissing
from core.processes import dispatch
from core.records import Hold, Party, Payout
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.holds import ReleaseBlocked
from core.rules.permissions import NotPermitted
from tests import builders
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
    lift(market, held)
    market.later(minutes=5)
    market.later(days=3)
    assert [each.status for each in market.all(Payout)] == ["PAID"]
    market.lawful()


def test_a_hold_does_not_stop_a_refund_to_the_payer(market: Market) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    stop(market, told)
    market.work()
    assert market.order(told) == {"refunded": 100_000}


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
        market.act(holds.lift, market.as_staff("cora"), hold_id=held.id, reason="")


def test_a_payee_who_withdraws_by_hand_keeps_the_money_payable(market: Market) -> None:
    def by_hand(session: Session) -> None:
        session.get_one(Party, market.payee_id).auto_withdraw = False

    market.database.run(by_hand)
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    assert market.order(told) == {"payable": 100_000}
    assert (market.status(told), market.count(Payout)) == ("COMPLETED", 0)
    assert [each.status for each in market.milestones(told.project)] == ["COMPLETED", "AWAITING_FUNDING"]
    market.lawful()
