"""A chargeback about a payment that came twice: it takes that payment, and leaves the milestone alone."""

from __future__ import annotations

from dataclasses import replace

from core.actions.chargebacks import lifecycle
from core.gateways.payments import BalanceLine
from core.processes import reconciliation
from core.processes.outgoing import dispatch
from core.records import Chargeback, DuplicatePayment, Notification, SuspenseItem, WebhookEvent
from core.rules.permissions import SYSTEM
from tests.actions.stripe_events import bank_says, chargeback, told_by_webhook
from tests.actions.test_chargebacks import approved
from tests.actions.test_duplicate_payments import paid_twice
from tests.builders import Told
from tests.sandbox_desk import Market


def second_payment(market: Market, refund: str) -> tuple[Told, str]:
    """It is booked as unapplied; its refund is `unsent`, `pending`, `failed` or `succeeded`."""
    market.pay_in(200_000)
    told, second = paid_twice(market)
    if refund == "unsent":
        (charge,) = market.operations("CHARGE")
        seen = market.desk.payments.charge_of(second)
        market.database.run(lambda s: dispatch.settle(s, charge.id, snapshot=seen, now=market.now))
        assert [each.status for each in market.operations("REFUND")] == ["QUEUED"]
        return told, second
    if refund != "succeeded":
        market.control.next_refunds({"status": "pending", "stay": True})
    told_by_webhook(market, "payment_intent.succeeded", second)
    if refund == "failed":
        (row,) = market.all(DuplicatePayment)
        market.control.move_refund(row.stripe_refund, "failed")
        told_by_webhook(market, "refund.failed", row.stripe_refund)
    return told, second


def disputed(market: Market, second: str, **fields: int) -> str:
    market.control.set_clock(market.now)
    dispute = market.control.dispute(second, **fields)
    told_by_webhook(market, "charge.dispute.created", dispute)
    return dispute


def row_of(market: Market) -> DuplicatePayment:
    (row,) = market.all(DuplicatePayment)
    assert isinstance(row, DuplicatePayment)
    return row


def test_before_it_is_returned_it_waits_for_the_bank_and_the_milestone_does_not(market: Market) -> None:
    told, second = second_payment(market, "unsent")
    dispute = disputed(market, second)
    market.work()
    assert chargeback(market).duplicate_id == row_of(market).id
    assert [each.status for each in market.operations("REFUND")] == ["BLOCKED"]
    assert (market.state(told), market.sent("/v1/refunds")) == ("PAID_HELD", [])
    market.lawful()
    bank_says(market, dispute, "lost")
    market.work()
    row = row_of(market)
    assert (row.status, row.charged_back_minor) == ("CHARGED_BACK", row.amount_minor)
    assert [each.status for each in market.operations("REFUND")] == ["CANCELED"]
    assert market.sent("/v1/refunds") == []
    assert not market.books().keys() & {"unapplied_funds", "disputed_funds", "chargeback_losses", "suspense"}
    assert (market.state(told), market.order(told)) == ("PAID_HELD", {"held": 100_000})
    assert not {"chargeback_opened", "chargeback_lost"} & {each.template for each in market.all(Notification)}
    assert market.count(SuspenseItem) == 0
    approved(market, told)
    assert market.order(told) == {"released": 100_000}
    market.lawful()


def test_won_it_goes_back_to_the_payer_as_a_payment_too_many(market: Market) -> None:
    told, second = second_payment(market, "unsent")
    dispute = disputed(market, second)
    bank_says(market, dispute, "won")
    market.work()
    assert row_of(market).status == "RETURNED"
    assert not market.books().keys() & {"unapplied_funds", "disputed_funds", "chargeback_losses"}
    assert market.state(told) == "PAID_HELD"
    market.lawful()


def test_part_of_it_lost_the_rest_goes_back_to_the_payer(market: Market) -> None:
    _, second = second_payment(market, "unsent")
    whole = row_of(market).amount_minor
    bank_says(market, disputed(market, second, amount=30_000), "lost")
    market.work()
    row = row_of(market)
    assert (row.status, row.charged_back_minor) == ("RETURNED", 30_000)
    assert [int(each["body"]["amount"]) for each in market.sent("/v1/refunds")] == [whole - 30_000]
    assert not market.books().keys() & {"unapplied_funds", "disputed_funds", "chargeback_losses"}
    market.lawful()


def test_a_refund_of_it_that_failed_is_not_sent_again_when_the_bank_has_paid(market: Market) -> None:
    _, second = second_payment(market, "failed")
    bank_says(market, disputed(market, second), "lost")
    assert row_of(market).status == "CHARGED_BACK"
    assert [each.status for each in market.operations("REFUND")] == ["CANCELED"]
    assert not market.books().keys() & {"unapplied_funds", "chargeback_losses"}
    market.lawful()
    late = told_by_webhook(market, "refund.failed", str(row_of(market).stripe_refund))
    assert market.get(WebhookEvent, late).status == "APPLIED"
    assert row_of(market).status == "CHARGED_BACK", "late news change nothing"
    market.lawful()


def test_returned_already_it_is_our_loss_and_never_the_payees(market: Market) -> None:
    told, second = second_payment(market, "succeeded")
    amount = row_of(market).amount_minor
    bank_says(market, disputed(market, second), "lost")
    assert row_of(market).status == "RETURNED"
    books = market.books()
    assert books["chargeback_losses"] == amount
    assert not books.keys() & {"unapplied_funds", "receivable_payee", "disputed_funds"}
    assert market.order(told) == {"held": 100_000}
    market.lawful()


def test_a_refund_of_it_that_comes_back_after_the_bank_has_paid_is_not_owed(market: Market) -> None:
    _, second = second_payment(market, "pending")
    bank_says(market, disputed(market, second), "lost")
    assert market.books()["chargeback_losses"] == row_of(market).amount_minor
    market.control.move_refund(row_of(market).stripe_refund, "failed")
    told_by_webhook(market, "refund.failed", str(row_of(market).stripe_refund))
    assert row_of(market).status == "CHARGED_BACK"
    assert not market.books().keys() & {"unapplied_funds", "chargeback_losses"}
    market.lawful()


def test_won_after_it_was_lost_it_is_owed_again(market: Market) -> None:
    _, second = second_payment(market, "unsent")
    dispute = disputed(market, second)
    bank_says(market, dispute, "lost")
    amount = row_of(market).amount_minor
    found = market.desk.payments.dispute_by_id(dispute)
    line = BalanceLine(
        "txn_back", "adjustment", "dispute_reversal", amount, 0, amount, "USD", dispute,
        market.now, market.now, "available",
    )  # fmt: skip
    seen = replace(found, status="won", lines=(*found.lines, line))
    for _ in range(2):
        market.database.run(lambda session: lifecycle.follow(session, seen, now=market.now))
    row = row_of(market)
    assert (row.status, row.charged_back_minor) == ("RETURNING", 0)
    assert market.books()["unapplied_funds"] == amount
    market.lawful()


def test_reconciliation_knows_it_too(market: Market) -> None:
    _, second = second_payment(market, "succeeded")
    market.control.set_clock(market.now)
    market.control.dispute(second)
    reconciliation.run(market.desk, SYSTEM)
    assert chargeback(market).duplicate_id == row_of(market).id
    assert market.count(SuspenseItem) == 0
    market.lawful()


def test_a_dispute_without_a_payments_name_is_about_none_of_ours(market: Market) -> None:
    told, second = second_payment(market, "succeeded")
    dispute = market.control.dispute(second)
    found = market.desk.payments.dispute_by_id(dispute)
    stranger = replace(found, id="du_other", payment_intent=None, charge="ch_other")
    assert market.milestones(told.project)[1].status == "PLANNED", "an order that no payment belongs to yet"
    followed = market.database.run(lambda s: lifecycle.follow(s, stranger, now=market.now))
    assert followed is None
    assert market.count(Chargeback) == 0
