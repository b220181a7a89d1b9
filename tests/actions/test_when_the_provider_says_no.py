"""Declined cards, failed payouts, refunds that come late or come back (milestone-payment-flow, Error Handling)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from core.actions.funding import fund
from core.actions.funding.fund import NoPaymentMethod
from core.actions.milestones import verification
from core.actions.milestones.orders import PaymentInFlight
from core.actions.payouts import payout_owners, payout_review
from core.actions.payouts.payout_review import PayoutNotInReview
from core.policy import WithdrawalMethod
from core.processes import payee_accounts
from core.processes.outgoing import dispatch
from core.queries import operations, payout_progress
from core.records import Milestone, Notification, Party, Payout, Refund
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.payout_failures import WillFailAgain
from core.rules.permissions import NotPermitted
from tests import builders
from tests.builders import Told
from tests.sandbox_desk import Market


def templates(market: Market) -> list[str]:
    return [each.template for each in market.all(Notification)]


# Charges


def test_after_a_declined_card_the_payer_pays_with_another(market: Market) -> None:
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(
        fund.fund,
        market.payer,
        milestone_id=told.milestone,
        payment_method="pm_card_chargeDeclinedInsufficientFunds",
    )
    assert market.state(told) == "PENDING_PAYMENT"
    market.work()
    assert (market.state(told), market.status(told)) == ("UNPAID", "AWAITING_FUNDING")
    assert market.books() == {}
    assert "payment_failed" in templates(market)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    assert (market.state(told), market.order(told)) == ("PAID_HELD", {"held": 100_000})
    first, second = market.operations("CHARGE")
    assert (first.status, second.status) == ("REFUSED", "SUCCEEDED")
    assert first.key != second.key
    market.lawful()


def test_a_payer_does_not_pay_twice_while_a_charge_is_under_way(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0]
    market.act(fund.fund, market.payer, milestone_id=first.id)
    with pytest.raises(PaymentInFlight):
        market.act(fund.fund, market.payer, milestone_id=first.id)
    market.work()
    assert len(market.sent("/v1/payment_intents")) == 1


def test_without_a_card_there_is_nothing_to_charge(market: Market) -> None:
    project = market.agreed()

    def forget(session: Any) -> None:
        session.get_one(Party, market.payer_id).payment_method = None

    market.database.run(forget)
    with pytest.raises(NoPaymentMethod):
        market.act(fund.fund, market.payer, milestone_id=market.milestones(project.id)[0].id)


def test_a_charge_whose_balance_transaction_comes_later_is_booked_when_it_is_there(market: Market) -> None:
    market.control.terms(line_later=True, line_after=3600)
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    assert (market.status(told), market.books()) == ("AWAITING_FUNDING", {})
    market.later(hours=2)
    assert (market.status(told), market.order(told)) == ("FUNDED", {"held": 100_000})
    assert len(market.sent("/v1/payment_intents")) == 1
    market.lawful()


# Payouts


def released(market: Market) -> Told:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    return told


def test_an_account_that_cannot_be_paid_any_more_is_not_asked_again_unsaid(market: Market) -> None:
    """Stripe marks the bank account with any failure, also with one that says nothing of the account."""
    market.control.next_payouts({"code": "could_not_process"})
    released(market)
    for _ in range(4):
        market.later(days=1)
        _news(market)
    (payout,) = market.all(Payout)
    assert (payout.status, payout.failure_code) == ("ADMINISTRATIVE_REVIEW", "could_not_process")
    account = market.get(Party, market.payee_id).stripe_account
    payee_accounts.read(market.desk, account)
    try_again = partial(
        market.act, payout_review.retry, market.as_staff("fay"), payout_id=payout.id, reason="It may go now."
    )
    with pytest.raises(WillFailAgain, match="Ask the payee to add another bank account first"):
        try_again()
    try_again(anyway=True)
    market.work()
    line = market.read(lambda session: payout_progress.one(session, payout.id))
    assert "cannot be paid yet: Stripe needs details" in line.why
    assert line.next == "The payee must give another bank account: finance asks them"
    fay = market.staff["fay"]
    market.act(payout_owners.assign, market.as_staff("fay"), payout_id=payout.id, owner_id=fay)
    line = market.read(lambda session: payout_progress.one(session, payout.id))
    assert line.next == "The payee must give another bank account: Fay Moreno asks them"
    market.desk.payments.replace_bank("bank", "bank:1", account=account, bank_token="btok_us_verified")
    payee_accounts.read(market.desk, account)
    for _ in range(6):
        market.later(days=1)
        _news(market)
    assert market.all(Payout)[0].status == "PAID"


@pytest.mark.parametrize("after_paid", [False, True])
def test_a_payout_that_fails_goes_to_review_and_can_be_sent_again(market: Market, after_paid: bool) -> None:
    market.control.next_payouts({"code": "account_closed", "after_paid": after_paid})
    told = released(market)
    assert market.read(operations.counts) == {"SENT": 1}, "it is at Stripe, and not in a queue"
    for status, found in (("SENT", 1), ("QUEUED", 0)):
        wanted = operations.OperationFilter(status=status)
        assert len(market.read(lambda session, wanted=wanted: operations.page(session, wanted))) == found
    for _ in range(5):
        market.later(days=1)
        _news(market)
    (payout,) = market.all(Payout)
    assert (payout.status, market.status(told)) == ("ADMINISTRATIVE_REVIEW", "COMPLETED")
    assert "closed" in (payout.failure or "")
    assert market.books()["connected_balance"] == 100_000
    assert "payout_failed" in templates(market)
    with pytest.raises(NotPermitted):
        market.act(
            payout_review.retry, market.as_staff("mia"), payout_id=payout.id, reason="New bank.", anyway=True
        )
    market.act(
        payout_review.retry, market.as_staff("fay"), payout_id=payout.id, reason="Try once more.", anyway=True
    )
    market.work()
    assert market.all(Payout)[0].status == "ADMINISTRATIVE_REVIEW", "the bank account is still the closed one"
    account = market.get(Party, market.payee_id).stripe_account
    market.desk.payments.replace_bank("bank", "bank:1", account=account, bank_token="btok_us_verified")
    market.act(
        payout_review.retry,
        market.as_staff("fay"),
        payout_id=payout.id,
        reason="New bank account.",
        anyway=True,
    )
    market.work()
    market.later(days=4)
    assert [each.status for each in market.all(Payout)] == ["PAID"]
    assert len(market.sent("/v1/transfers")) == 1
    assert not market.books().keys() & {"connected_balance", "connected_in_transit", "connected_claim"}
    with pytest.raises(PayoutNotInReview):
        market.act(
            payout_review.retry, market.as_staff("fay"), payout_id=payout.id, reason="Once more.", anyway=True
        )
    market.lawful()


def _news(market: Market) -> None:
    """What webhooks would tell: look again at every payout."""
    for operation in market.operations("PAYOUT"):
        if operation.provider_id:
            snapshot = market.desk.payments.payout_by_id(
                operation.provider_id, account=operation.payload["account"]
            )
            market.database.run(
                lambda session, number=operation.id, seen=snapshot: dispatch.settle(  # type: ignore[misc]
                    session, number, snapshot=seen, now=market.now
                )
            )


def test_the_withdrawal_fee_goes_by_the_method(market: Market) -> None:
    market.newcomers(method=WithdrawalMethod.INSTANT)
    told = released(market)
    (payout,) = market.all(Payout)
    assert (payout.amount_minor, payout.fee_minor) == (100_000, 1_500)
    (transfer,) = market.sent("/v1/transfers")
    assert transfer["body"]["amount"] == "98500"
    assert market.books()["withdrawal_fee_revenue"] == 1_500
    assert market.order(told) == {"released": 100_000}
    market.lawful()


def test_money_that_is_still_on_its_way_to_the_payee_is_paid_out_later(market: Market) -> None:
    """An ordinary card settles in two days; until then the bank payout is refused, and time heals it."""
    market.newcomers(card="pm_card_visa")
    told = market.funded()
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    (payout,) = market.operations("PAYOUT")
    assert (payout.status, payout.attempt) == ("QUEUED", 2)
    for _ in range(30):
        market.later(hours=4)
    assert [each.status for each in market.all(Payout)] == ["PAID"]
    market.lawful()


# Refunds


def refunded(market: Market, *orders: dict[str, Any], card: str = "pm_card_bypassPending") -> Told:
    market.newcomers(card=card)
    told = market.in_mediation()
    if orders:
        market.control.next_refunds(*orders)
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.work()
    return told


def test_a_refund_that_is_pending_is_waited_for(market: Market) -> None:
    told = refunded(market, {"status": "pending", "stay": True})
    (refund,) = market.all(Refund)
    assert (refund.status, market.state(told)) == ("PENDING", "REFUND_PENDING")
    assert market.get(Milestone, told.milestone).ended_at is None
    market.control.move_refund(refund.stripe_refund, "succeeded")
    market.later(hours=1)
    assert [each.status for each in market.all(Refund)] == ["SUCCEEDED"]
    assert (market.state(told), market.order(told)) == ("REFUNDED", {"refunded": 100_000})
    assert market.get(Milestone, told.milestone).ended_at is not None
    assert len(market.sent("/v1/refunds")) == 1
    market.lawful()


def test_a_refund_that_fails_leaves_the_debt_and_asks_for_a_person(market: Market) -> None:
    told = refunded(market, {"status": "failed"})
    for _ in range(3):
        market.later(hours=2)
        _refund_news(market)
    (refund,), (operation,) = market.all(Refund), market.operations("REFUND")
    assert (refund.status, operation.status) == ("FAILED", "REVIEW")
    assert market.order(told) == {"refundable": 100_000}
    assert market.books()["refund_payable"] == 102_500
    assert market.state(told) == "REFUND_PENDING"
    market.lawful()


def test_a_refund_that_comes_back_after_it_succeeded_reopens_the_debt(market: Market) -> None:
    told = refunded(market)
    assert market.order(told) == {"refunded": 100_000}
    (refund,) = market.all(Refund)
    market.control.move_refund(refund.stripe_refund, "failed", reason="expired_or_canceled_card")
    _refund_news(market)
    assert (market.all(Refund)[0].status, market.order(told)) == ("FAILED", {"refundable": 100_000})
    assert market.books()["refund_payable"] == 102_500
    assert market.books()["stripe_balance"] == 102_500
    market.lawful()


def _refund_news(market: Market) -> None:
    for operation in market.operations("REFUND"):
        if operation.provider_id:
            snapshot = market.desk.payments.refund_by_id(operation.provider_id)
            market.database.run(
                lambda session, number=operation.id, seen=snapshot: dispatch.settle(  # type: ignore[misc]
                    session, number, snapshot=seen, now=market.now
                )
            )


def test_more_than_the_charge_is_never_refunded(market: Market) -> None:
    """Refused by the provider, the refund waits for a person, and the debt stays in the books."""
    told = market.in_mediation()
    (charge,) = market.operations("CHARGE")
    market.control.session.post(
        f"{market.sandbox.url}/v1/refunds", data={"payment_intent": charge.provider_id, "amount": "50000"}
    ).raise_for_status()
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.work()
    (operation,) = market.operations("REFUND")
    assert operation.status == "REVIEW"
    assert market.order(told) == {"refundable": 100_000}


def test_reconciliation_finds_what_was_done_behind_the_desks_back(market: Market) -> None:
    from core.processes import reconciliation
    from core.records import ReconciliationBreak, ReconciliationRun

    told = released(market)
    run = reconciliation.run(market.desk, market.as_staff("fay"))
    found = market.get(ReconciliationRun, run)
    assert (found.status, found.breaks, found.lines) == ("CLEAN", 0, found.matched)
    (charge,) = market.operations("CHARGE")
    market.control.session.post(
        f"{market.sandbox.url}/v1/refunds", data={"payment_intent": charge.provider_id, "amount": "777"}
    ).raise_for_status()
    run = reconciliation.run(market.desk, market.as_staff("fay"))
    assert market.get(ReconciliationRun, run).status == "BREAKS"
    kinds = {each.kind: each.at_provider for each in market.all(ReconciliationBreak)}
    assert kinds["NOT_IN_LEDGER"] == -777
    assert market.status(told) == "COMPLETED"
