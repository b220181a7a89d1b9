"""News that come late, and answers that come after somebody else told us: what is settled stays settled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.payouts import payout_review
from core.actions.refunds import outside_refunds
from core.gateways.payments import OutcomeUnknown, ProviderRefused
from core.processes import webhook_processing
from core.processes.outgoing import dispatch
from core.records import OutgoingOperation, PaymentOrder, Payout, Refund, WebhookEvent
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back, intent_of, told_by_webhook
from tests.builders import Told
from tests.sandbox_desk import Market

SOFT = "pm_card_chargeDeclinedInsufficientFunds"
NO_MONEY = ProviderRefused(reason="The balance is too low", provider_code="balance_insufficient")
CUT_OFF = OutcomeUnknown(reason="cut off")


class Interrupted:
    """The provider, of which the first call of one kind goes another way."""

    def __init__(self, market: Market, call: str, first: Any) -> None:
        self.real, self.call, self.first = market.desk.payments, call, first
        market.desk = replace(market.desk, payments=self)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name != self.call:
            return getattr(self.real, name)
        self.call = ""
        return self.first


def declined(market: Market) -> tuple[Told, str]:
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(fund.fund, market.payer, milestone_id=told.milestone, payment_method=SOFT)
    market.work()
    (intent,) = market.at_stripe("/v1/payment_intents")
    return told, str(intent["id"])


def hear(market: Market, kind: str, number: str) -> None:
    """An event is applied, and nothing else is sent meanwhile."""
    event = WebhookEvent(
        id=f"evt_{number}",
        kind=kind,
        object_id=number,
        payload={"data": {"object": {"id": number}}},
        next_try_at=market.now,
        created_at=market.now,
        received_at=market.now,
    )
    market.database.run(lambda session: session.add(event))
    webhook_processing.sweep(market.desk)


# Charges


def test_late_news_of_a_decline_do_not_free_the_way_for_a_third_charge(market: Market) -> None:
    told, first = declined(market)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    hear(market, "payment_intent.payment_failed", first)
    order = market.get(PaymentOrder, told.milestone)
    assert (order.in_flight, order.failure, order.next_retry_at) == (True, None, None)
    market.work()
    assert market.order(told) == {"held": 100_000}
    market.lawful()


def test_late_news_of_a_decline_say_nothing_about_a_milestone_that_was_funded_since(market: Market) -> None:
    told, first = declined(market)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    told_by_webhook(market, "payment_intent.payment_failed", first)
    order = market.get(PaymentOrder, told.milestone)
    assert (order.failure, order.next_retry_at) == (None, None)


def test_a_second_payment_whose_line_is_still_missing_does_not_take_the_first_ones_place(
    market: Market,
) -> None:
    told = market.funded()
    first = market.desk.payments.charge_of(intent_of(market, told))
    second = replace(first, id="pi_second", charge="ch_second", lines=())
    (charge,) = market.operations("CHARGE")
    market.database.run(lambda s: dispatch.settle(s, charge.id, snapshot=second, now=market.now))
    order = market.get(PaymentOrder, told.milestone)
    assert (order.stripe_payment_intent, order.stripe_charge) == (first.id, first.charge)


# Transfers


@pytest.mark.parametrize("trouble", [NO_MONEY, CUT_OFF], ids=["refused for now", "outcome unknown"])
@pytest.mark.parametrize("lost", [None, 30_000])
def test_a_transfer_that_waits_for_another_try_does_not_pay_what_the_bank_took_back(
    market: Market, trouble: Exception, lost: int | None
) -> None:
    def first(*_: Any, **__: Any) -> None:
        raise trouble

    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    Interrupted(market, "transfer", first)
    market.work()
    assert [each.status for each in market.operations("TRANSFER")] == ["QUEUED"]
    bank_says(market, charged_back(market, told, **({"amount": lost} if lost else {})), "lost")
    for hours in (2, 2, 24, 24, 24, 24):
        market.later(hours=hours)
    kept = lost or 100_000
    assert market.order(told) == {"refunded": kept, **({"released": 100_000 - kept} if lost else {})}
    paid = [each.amount_minor for each in market.operations("PAYOUT") if each.status == "SUCCEEDED"]
    assert sum(paid) == 100_000 - kept
    assert not market.books().keys() & {"receivable_payee", "payee_payable", "connected_balance"}
    market.lawful()


# Our own answer comes last


def test_a_payout_that_a_webhook_failed_is_not_asked_for_again_by_our_own_time_out(market: Market) -> None:
    def first(op: str, key: str, **asked: Any) -> None:
        made = replace(real.payout(op, key, **asked), status="failed", failure_message="closed")
        market.database.run(lambda s: dispatch.settle(s, _number(s, op), snapshot=made, now=market.now))
        raise CUT_OFF

    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    real = market.desk.payments
    Interrupted(market, "payout", first)
    market.work()
    assert [each.status for each in market.operations("PAYOUT")] == ["REFUSED"]
    (payout,) = market.all(Payout)
    market.act(
        payout_review.retry, market.as_staff("fay"), payout_id=payout.id, reason="A new account.", anyway=True
    )
    assert [each.key for each in market.operations("PAYOUT")][1].endswith(".payout.2")


def _number(session: Any, key: str) -> int:
    return int(session.query(OutgoingOperation).filter_by(key=key).one().id)


# What time does not heal


def test_a_refund_that_stripe_will_never_do_reaches_a_person_and_can_go_another_way(market: Market) -> None:
    """The bank has kept a part of the payment and wants more, of which we have not heard: Stripe refunds nothing."""
    told = market.in_mediation()
    bank_says(market, charged_back(market, told, amount=30_000), "lost")
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.control.set_clock(market.now)
    market.control.dispute(intent_of(market, told), amount=1_000)
    market.work()
    assert [each.status for each in market.operations("REFUND")] == ["REVIEW"]
    (refund,) = market.all(Refund)
    assert (refund.status, refund.failure_code) == ("FAILED", "charge_disputed")
    sent = {"way": "BANK_TRANSFER", "reference": "TR-17", "reason": "Stripe refuses it."}
    proposed = market.act(outside_refunds.propose, market.as_staff("fay"), refund_id=refund.id, **sent)
    market.act(outside_refunds.approve, market.as_staff("cora"), return_id=proposed.id)
    assert (market.status(told), market.order(told)) == ("REFUNDED", {"refunded": 100_000})
    market.lawful()
