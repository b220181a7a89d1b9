"""A refund is owed and the payer's bank takes money back meanwhile: the payer has it once, in every order of events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.actions.chargebacks import lifecycle
from core.actions.operations import operation_retry
from core.actions.refunds import outside_refunds
from core.gateways.payments import BalanceLine
from core.money import Money
from core.queries import decision_progress
from core.records import Decision, Receipt, Refund, WebhookEvent
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders
from tests.actions.stripe_events import bank_says, charged, charged_back, intent_of, told_by_webhook
from tests.builders import Told
from tests.sandbox_desk import Market

OWED, TAKEN = 102_500, 30_000


def refund_decided(market: Market, *amounts: Money, release: Money | None = None) -> Told:
    """A full refund, or with `release` a split; its call is not sent yet, and the platform has money of its own."""
    market.pay_in(200_000, amounts[0].currency if amounts else "USD")
    told = market.in_mediation(*amounts)
    if release is not None:
        draft = builders.a_draft(told, release=release)
    else:
        draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    return told


def refunds_of(market: Market) -> list[tuple[str, int]]:
    return [(each.status, each.amount_minor) for each in market.all(Refund)]


def calls(market: Market) -> list[tuple[str, int]]:
    return [(each.status, each.amount_minor) for each in market.operations("REFUND")]


def paid_back(market: Market) -> int:
    """What lies with the payer from refunds, by the provider's own account."""
    return sum(each["amount"] for each in market.at_stripe("/v1/refunds") if each["status"] == "succeeded")


def test_a_bank_that_takes_a_part_leaves_the_rest_of_the_refund_to_us(market: Market) -> None:
    told = refund_decided(market)
    dispute = charged_back(market, told, amount=TAKEN)
    assert calls(market) == [("BLOCKED", OWED)]
    bank_says(market, dispute, "lost")
    assert refunds_of(market) == [("CHARGED_BACK", TAKEN), ("SUCCEEDED", OWED - TAKEN)]
    assert calls(market) == [("CANCELED", OWED), ("SUCCEEDED", OWED - TAKEN)]
    assert (market.order(told), market.state(told)) == ({"refunded": 100_000}, "REFUNDED")
    assert market.status(told) == "REFUNDED"
    assert paid_back(market) == OWED - TAKEN
    books = market.books()
    assert not books.keys() & {"chargeback_losses", "refund_payable", "disputed_funds", "receivable_payee"}
    assert books["dispute_fees"] == 1_500
    assert [each.total_minor for each in market.all(Receipt) if each.kind == "REFUND"] == [OWED - TAKEN]
    market.lawful()


def test_why_the_first_call_was_called_off_is_said_in_words(market: Market) -> None:
    told = refund_decided(market)
    bank_says(market, charged_back(market, told, amount=TAKEN), "lost")
    first = market.operations("REFUND")[0]
    assert first.last_error == (
        "The payer's bank has given $300.00 of it back. The remaining $725.00 is requested again."
    )


def test_the_decisions_own_page_shows_what_became_of_its_refund(market: Market) -> None:
    told = refund_decided(market)
    bank_says(market, charged_back(market, told, amount=TAKEN), "lost")
    (decision,) = market.all(Decision)
    steps = market.read(lambda session: decision_progress.execution(session, decision.id)).steps
    assert [(each.kind, each.amount.minor, each.status) for each in steps] == [
        ("REFUND", OWED, "CANCELED"), ("REFUND", OWED - TAKEN, "SUCCEEDED"),
    ]  # fmt: skip


def test_a_refund_that_has_arrived_stays_and_the_bank_costs_us(market: Market) -> None:
    told = refund_decided(market)
    market.work()
    bank_says(market, charged_back(market, told, amount=TAKEN), "lost")
    assert refunds_of(market) == [("SUCCEEDED", OWED)]
    assert market.books()["chargeback_losses"] == TAKEN
    market.lawful()


def test_a_refund_on_its_way_stays_and_when_it_comes_back_only_the_rest_is_owed(market: Market) -> None:
    told = refund_decided(market)
    market.control.next_refunds({"status": "pending", "stay": True})
    market.work()
    bank_says(market, charged_back(market, told, amount=TAKEN), "lost")
    assert refunds_of(market) == [("PENDING", OWED)]
    assert market.books()["chargeback_losses"] == TAKEN
    market.lawful()
    (refund,) = market.all(Refund)
    market.control.move_refund(refund.stripe_refund, "failed")
    told_by_webhook(market, "refund.failed", refund.stripe_refund)
    assert refunds_of(market) == [("CHARGED_BACK", TAKEN), ("SUCCEEDED", OWED - TAKEN)]
    assert not market.books().keys() & {"chargeback_losses", "refund_payable"}
    assert market.order(told) == {"refunded": 100_000}
    market.lawful()
    late = told_by_webhook(market, "refund.failed", refund.stripe_refund)
    assert market.get(WebhookEvent, late).status == "APPLIED"
    assert len(refunds_of(market)) == 2, "late news of the first one change nothing"
    market.lawful()


def test_a_refund_that_failed_before_is_owed_as_far_as_the_bank_has_not_paid(market: Market) -> None:
    told = refund_decided(market)
    market.control.next_refunds({"status": "pending", "stay": True})
    market.work()
    (refund,) = market.all(Refund)
    market.control.move_refund(refund.stripe_refund, "failed")
    told_by_webhook(market, "refund.failed", refund.stripe_refund)
    assert refunds_of(market) == [("FAILED", OWED)]
    bank_says(market, charged_back(market, told, amount=TAKEN), "lost")
    assert refunds_of(market) == [("CHARGED_BACK", TAKEN), ("SUCCEEDED", OWED - TAKEN)]
    assert not market.books().keys() & {"chargeback_losses", "refund_payable"}
    market.lawful()


def test_a_refund_that_stripe_refuses_before_we_hear_of_the_bank_is_shortened_when_we_do(
    market: Market,
) -> None:
    told = refund_decided(market)
    market.control.set_clock(market.now)
    dispute = market.control.dispute(intent_of(market, told), amount=TAKEN)
    market.control.decide_dispute(dispute, "lost")
    market.work()
    assert (refunds_of(market), calls(market)) == ([("FAILED", OWED)], [("REVIEW", OWED)])
    told_by_webhook(market, "charge.dispute.closed", dispute)
    assert refunds_of(market) == [("CHARGED_BACK", TAKEN), ("SUCCEEDED", OWED - TAKEN)]
    assert "chargeback_losses" not in market.books()
    market.lawful()


def test_of_a_split_the_bank_takes_the_refund_first_and_the_payee_keeps_what_was_released(
    market: Market,
) -> None:
    told = refund_decided(market, release=Money(60_000, "USD"))
    whole = 41_000
    bank_says(market, charged_back(market, told, amount=TAKEN), "lost")
    market.work()
    assert refunds_of(market) == [("CHARGED_BACK", TAKEN), ("SUCCEEDED", whole - TAKEN)]
    assert market.order(told) == {"released": 60_000, "refunded": 40_000}
    assert not market.books().keys() & {"receivable_payee", "chargeback_losses", "refund_payable"}
    market.lawful()


def test_a_bank_that_takes_more_than_the_refund_takes_the_rest_from_the_payee(market: Market) -> None:
    told = refund_decided(market, release=Money(60_000, "USD"))
    bank_says(market, charged_back(market, told, amount=50_000), "lost")
    market.work()
    assert refunds_of(market) == [("CHARGED_BACK", 41_000)]
    assert market.order(told) == {"released": 51_000, "refunded": 49_000}
    assert not market.books().keys() & {"receivable_payee", "chargeback_losses", "refund_payable"}
    market.lawful()


def test_a_second_chargeback_takes_what_the_first_one_left(market: Market) -> None:
    told = refund_decided(market)
    market.control.set_clock(market.now)
    first = charged_back(market, told, amount=TAKEN)
    second = charged_back(market, told, amount=20_000)
    bank_says(market, first, "lost")
    assert refunds_of(market) == [("CHARGED_BACK", TAKEN), ("QUEUED", OWED - TAKEN)]
    bank_says(market, second, "lost")
    assert refunds_of(market) == [
        ("CHARGED_BACK", TAKEN), ("CHARGED_BACK", 20_000), ("SUCCEEDED", OWED - TAKEN - 20_000),
    ]  # fmt: skip
    assert "chargeback_losses" not in market.books()
    market.lawful()


@pytest.mark.parametrize("taken", [TAKEN, OWED])
def test_won_after_it_was_lost_the_refund_is_owed_again(market: Market, taken: int) -> None:
    told = refund_decided(market)
    dispute = charged_back(market, told, amount=taken)
    bank_says(market, dispute, "lost")
    given_back(market, dispute, taken)
    assert refunds_of(market)[-1] == ("QUEUED", taken)
    assert market.books()["refund_payable"] == taken
    assert market.state(told) == "REFUND_PENDING"
    assert "chargeback_losses" not in market.books()
    market.lawful()


def test_won_after_others_had_borne_the_loss_a_person_decides(market: Market) -> None:
    told = refund_decided(market, release=Money(60_000, "USD"))
    dispute = charged_back(market, told, amount=50_000)
    bank_says(market, dispute, "lost")
    given_back(market, dispute, 50_000)
    assert market.books()["suspense"] == 50_000
    assert refunds_of(market) == [("CHARGED_BACK", 41_000)]
    market.lawful()


def given_back(market: Market, dispute: str, amount: int) -> None:
    """The sandbox's banks never change their mind, so the provider's words are ours."""
    found = market.desk.payments.dispute_by_id(dispute)
    line = BalanceLine(
        "txn_back", "adjustment", "dispute_reversal", amount, 0, amount, "USD", dispute,
        market.now, market.now, "available",
    )  # fmt: skip
    seen = replace(found, status="won", lines=(*found.lines, line))
    for _ in range(2):
        market.database.run(lambda session: lifecycle.follow(session, seen, now=market.now))


def test_what_somebody_says_was_sent_from_our_bank_is_not_taken_out_of_it(market: Market) -> None:
    told = refund_decided(market)
    market.control.next_refunds({"status": "pending", "stay": True})
    market.work()
    (refund,) = market.all(Refund)
    market.control.move_refund(refund.stripe_refund, "failed")
    told_by_webhook(market, "refund.failed", refund.stripe_refund)
    said = market.act(
        outside_refunds.propose,
        market.as_staff("fay"),
        refund_id=refund.id,
        way="CHECK",
        reference="4711",
        reason="The card is closed.",
    )
    bank_says(market, charged_back(market, told, amount=TAKEN), "lost")
    assert refunds_of(market) == [("FAILED", OWED)]
    assert market.books()["chargeback_losses"] == TAKEN
    market.act(outside_refunds.reject, market.as_staff("fay"), return_id=said.id, reason="Not so.")
    assert refunds_of(market) == [("CHARGED_BACK", TAKEN), ("QUEUED", OWED - TAKEN)]
    assert "chargeback_losses" not in market.books()
    market.lawful()


def test_the_last_digit_of_a_dinar_that_stripe_does_not_send_is_ours(market: Market) -> None:
    market.newcomers("KWD")
    told = refund_decided(market, Money(310_000, "KWD"), Money(310_000, "KWD"))
    (whole,) = (each.amount_minor for each in market.all(Refund))
    bank_says(market, charged_back(market, told, amount=10_005), "lost")
    assert refunds_of(market) == [("CHARGED_BACK", 10_000), ("SUCCEEDED", whole - 10_000)]
    assert market.books("KWD")["chargeback_losses"] == 5
    market.lawful()


def test_sent_again_by_a_person_it_is_the_rest_that_is_sent(market: Market) -> None:
    told = refund_decided(market)
    market.control.set_clock(market.now)
    dispute = market.control.dispute(intent_of(market, told), amount=TAKEN)
    market.control.decide_dispute(dispute, "lost")
    market.work()
    (call,) = market.operations("REFUND")
    market.act(operation_retry.retry, market.as_staff("fay"), operation_id=call.id, reason="Once more.")
    market.work()
    assert refunds_of(market) == [("FAILED", OWED)], "Stripe refuses it whole"
    told_by_webhook(market, "charge.dispute.closed", dispute)
    assert paid_back(market) == OWED - TAKEN
    assert charged(market, told) > OWED
    market.lawful()
