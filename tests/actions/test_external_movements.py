"""Money of a milestone that left Stripe without the desk is known before anyone decides about it."""

from __future__ import annotations

from typing import Any

import pytest

from core.actions.decisions import cautions
from core.actions.milestones import verification
from core.actions.reconciliation import suspense
from core.actions.refunds import hand_refunds
from core.actions.refunds.hand_refunds import NoRefundOwed, OwedInAnotherCurrency, SmallerThanOwed
from core.actions.risk import holds
from core.errors import DeskError
from core.money import Money
from core.processes import reconciliation, statement_matching
from core.queries import cases
from core.records import Case, Hold, Notification, PaymentOrder, Refund, StatementLine, SuspenseItem
from core.rules.cautions import Caution
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.holds import ReleaseBlocked
from core.rules.permissions import SYSTEM
from core.rules.suspense import SettledAs
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
    letters = [each for each in market.all(Notification) if each.template == "hold_to_settle"]
    assert {each.staff_id for each in letters} == {market.staff["fay"], market.staff["cora"]}
    assert all(refund in each.text and "Hold H-1 stops" in each.text for each in letters)
    (case,) = market.all(Case)
    shown = market.read(lambda session: cases.case(session, case.id, staff_id=None))
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


def settle_line(market: Market, as_what: SettledAs, **target: int) -> None:
    """Reconciled until the line is a day old; finance says what it was, and another agrees."""
    for _ in range(2):
        market.later(days=1, hours=1)
        reconciliation.run(market.desk, SYSTEM)
    items = [each.id for each in market.all(SuspenseItem) if each.status == "OPEN"]
    about: dict[str, Any] = {"item_ids": items, "reason": "Seen at Stripe."}
    market.act(
        suspense.propose, market.as_staff("fay"), settled_as=as_what, **about, **{"target_id": None, **target}
    )
    market.act(suspense.approve, market.as_staff("cora"), **about)


def lifted(market: Market) -> None:
    (placed,) = market.all(Hold)
    market.act(holds.lift, market.as_staff("cora"), hold_id=placed.id, reason="It was to be the refund.")


def test_a_refund_by_hand_that_was_the_one_owed_is_decided_and_not_sent_again(market: Market) -> None:
    """Made by hand, held, lifted, decided, and settled as what it was: the payer has it once, and the books say so."""
    market.pay_in(10_000)
    told = market.in_mediation()
    whole = charged(market, told)
    by_hand = refunded_by_hand(market, whole)
    told_by_webhook(market, "refund.created", by_hand)
    lifted(market)
    found = market.read(lambda session: cautions.of(session, market.as_staff("mia"), told.case))
    assert f"({by_hand}), and finance has not settled that line" in found[Caution.REFUND_BY_HAND].message
    builders.decided(market, told, whole_refund(told))
    market.work()
    (call,) = market.operations("REFUND")
    assert (call.status, call.tries) == ("BLOCKED", 0)
    assert "has not settled that line" in (call.last_error or "")
    with pytest.raises(NoRefundOwed):
        settle_line(market, SettledAs.REFUND_OWED, target_id=market.milestones(told.project)[1].id)
    settle_line(market, SettledAs.REFUND_OWED, target_id=told.milestone)
    market.later(days=1)
    (refund,), (call,) = market.all(Refund), market.operations("REFUND")
    assert (refund.status, call.status) == ("RETURNED", "CANCELED")
    assert (market.status(told), market.state(told), market.order(told)) == (
        "REFUNDED",
        "REFUNDED",
        {"refunded": 100_000},
    )
    assert len(market.sent("/v1/refunds")) == 1
    books = market.books()
    assert not books.keys() & {"suspense", "refund_payable"}
    assert books["refund_concession"] == whole - refund.amount_minor
    (letter,) = (each for each in market.all(Notification) if each.template == "refund_sent")
    assert Money(whole, "USD").text() in letter.text
    market.lawful()


def test_a_refund_that_is_queued_waits_for_the_hold_and_is_sent_when_it_was_another(market: Market) -> None:
    told = market.in_mediation()
    builders.decided(market, told, whole_refund(told))
    told_by_webhook(market, "refund.created", refunded_by_hand(market, 777))
    market.work()
    (call,) = market.operations("REFUND")
    assert (call.status, call.tries) == ("BLOCKED", 0)
    assert "outside this desk" in (call.last_error or "")
    settle_line(market, SettledAs.CONCESSION)
    (placed,) = market.all(Hold)
    assert placed.released_at is None
    assert "as “Refund concession”; this hold may be lifted" in (placed.news or "")
    assert [each.status for each in market.operations("REFUND")] == ["BLOCKED"]
    lifted(market)
    market.later(hours=1)
    assert len(market.sent("/v1/refunds")) == 2
    market.lawful()


@pytest.mark.parametrize(("currency", "why"), [("USD", SmallerThanOwed), ("EUR", OwedInAnotherCurrency)])
def test_a_part_of_the_refund_owed_or_one_in_another_currency_is_not_adopted(
    market: Market, currency: str, why: type[DeskError]
) -> None:
    """And the refund that is owed stays owed in full."""
    told = market.in_mediation()
    builders.decided(market, told, whole_refund(told))
    (refund,) = market.all(Refund)
    item = SuspenseItem(id=1, amount_minor=-777, currency=currency, source="re_by_hand")
    with pytest.raises(why) as refused:
        market.read(lambda session: hand_refunds.owed(session, item, told.milestone))
    assert Money(refund.amount_minor, refund.currency).text() in refused.value.message
    assert [each.status for each in market.all(Refund)] == ["QUEUED"]


def test_a_refund_by_hand_that_fails_later_is_said_on_its_hold_which_stays(market: Market) -> None:
    told = market.in_mediation()
    refund = refunded_by_hand(market, 50_000)
    told_by_webhook(market, "refund.created", refund)
    market.control.move_refund(refund, "failed")
    for _ in range(2):
        told_by_webhook(market, "refund.failed", refund)
    (placed,) = market.all(Hold)
    assert placed.released_at is None
    (case,) = market.all(Case)
    (block,) = market.read(lambda session: cases.case(session, case.id, staff_id=None)).blocks
    assert "that this refund failed: the money is back there" in block.sentence
    lifted(market)
    builders.decided(market, told, whole_refund(told))
    market.work()
    assert market.order(told) == {"refunded": 100_000}
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
