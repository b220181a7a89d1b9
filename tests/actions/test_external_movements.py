"""Money of a milestone that left Stripe without the desk is known before anyone decides about it."""

from __future__ import annotations

from typing import Any

import pytest

from core.actions.milestones import verification
from core.actions.risk import holds
from core.processes import reconciliation, statement_matching
from core.queries import cases
from core.records import Hold, PaymentOrder, StatementLine, Ticket
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.holds import ReleaseBlocked
from core.rules.permissions import SYSTEM
from tests import builders
from tests.actions.stripe_events import charged, told_by_webhook
from tests.builders import Told
from tests.sandbox_desk import Market


def refunded_by_hand(market: Market, amount: int) -> str:
    (charge,) = market.operations("CHARGE")
    market.control.set_clock(market.now)
    reply = market.control.session.post(
        f"{market.sandbox.url}/v1/refunds", data={"payment_intent": charge.provider_id, "amount": str(amount)}
    )
    reply.raise_for_status()
    return str(reply.json()["id"])


def whole_refund(told: Told) -> Any:
    return builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)


def test_a_full_refund_by_hand_is_on_the_case_and_no_decision_is_taken(market: Market) -> None:
    told = market.in_mediation()
    refund = refunded_by_hand(market, charged(market, told))
    for _ in range(2):
        told_by_webhook(market, "refund.created", refund)
    (placed,) = market.all(Hold)
    assert (placed.kind, placed.placed_by) == ("RISK", None)
    (ticket,) = market.all(Ticket)
    shown = market.read(lambda session: cases.case(session, ticket.id, staff_id=None))
    (block,) = shown.blocks
    assert f"refunded to the payer at Stripe, outside this desk ({refund})" in block.sentence
    with pytest.raises(ReleaseBlocked, match=refund):
        builders.decided(market, told, whole_refund(told))
    market.work()
    assert market.operations("REFUND") == []
    market.lawful()


def test_reconciliation_knows_it_as_well_before_the_line_is_a_day_old(market: Market) -> None:
    told = market.in_mediation()
    refund = refunded_by_hand(market, 777)
    for _ in range(2):
        reconciliation.run(market.desk, SYSTEM)
    (placed,) = market.all(Hold)
    assert refund in placed.reason
    with pytest.raises(ReleaseBlocked):
        builders.decided(market, told, whole_refund(told))


def test_work_that_is_approved_is_not_paid_from_money_that_has_left(market: Market) -> None:
    told = market.submitted()
    told_by_webhook(market, "refund.created", refunded_by_hand(market, 50_000))
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    assert (market.status(told), market.order(told)) == ("VERIFIED", {"held": 100_000})
    assert market.operations("TRANSFER") == []
    (placed,) = market.all(Hold)
    market.act(holds.lift, market.as_staff("cora"), hold_id=placed.id, reason="Settled as a concession.")
    assert len(market.operations("TRANSFER")) == 1
    market.lawful()


def test_a_refund_by_hand_that_failed_takes_nothing(market: Market) -> None:
    market.submitted()
    refund = refunded_by_hand(market, 50_000)
    market.control.move_refund(refund, "failed")
    told_by_webhook(market, "refund.failed", refund)
    assert market.all(Hold) == []


def test_a_payment_that_fails_after_it_was_booked_stops_its_milestone(market: Market) -> None:
    told = market.submitted()
    charge = market.get(PaymentOrder, told.milestone).stripe_charge

    def state(session: Any) -> None:
        session.add(
            StatementLine(
                id="txn_late",
                kind="payment_failure_refund",
                reporting_category="charge_failure",
                amount=-100_000,
                fee=0,
                net=-100_000,
                currency="USD",
                source=charge,
                created_at=market.now,
                fetched_at=market.now,
            )
        )
        session.flush()
        statement_matching.to_suspense(session, "txn_late", now=market.now)

    market.database.run(state)
    (placed,) = market.all(Hold)
    assert "of the payment back" in placed.reason
