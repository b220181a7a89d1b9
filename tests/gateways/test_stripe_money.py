"""Where the money goes: every movement is a line, lines add up to balances, and refunds and payouts have a life."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.payments import ProviderRefused
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_sandbox import SandboxControl
from core.gateways.stripe_sandbox.terms import Terms
from core.money import AmountNotStripeExact, Money, half_up
from tests.gateways.conftest import NOON, Parties, usd

ALL = (NOON - timedelta(days=1), NOON + timedelta(days=400))


def in_balance(payments: StripePayments, account: str | None = None) -> None:
    """The lines add up to the balance, and each is `net = amount - fee`."""
    lines = list(payments.balance_lines(*ALL, account=account))
    assert all(line.net == line.amount - line.fee for line in lines)
    for currency, money in payments.balance(account=account).items():
        assert money.minor == sum(line.net for line in lines if line.currency == currency)


def test_a_charge_books_its_fee_and_settles_after_two_days(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    paid = parties.paid(usd(104_356), card="pm_card_visa")
    (line,) = paid.lines
    assert (line.amount, line.fee, line.net) == (104_356, 3_056, 101_300)
    assert line.available_on == NOON + timedelta(days=2)
    assert payments.available()["USD"] == usd(0)
    control.advance(timedelta(days=2))
    assert payments.available()["USD"] == usd(101_300)
    in_balance(payments)


@given(amount=st.integers(50, 99_999_999))
def test_the_fee_is_half_up_like_ours(amount: int) -> None:
    assert Terms().fee(amount, "usd") == half_up(amount * 290, 10_000) + 30


def test_a_charge_may_have_no_line_yet(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    control.terms(line_later=True)
    paid = parties.paid(usd(5_000))
    assert (paid.succeeded, paid.lines) == (True, ())
    control.advance(timedelta(seconds=2))
    assert len(payments.charge_of(paid.id).lines) == 1
    assert "charge.updated" in {event.type for event in payments.events(NOON)}


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_a_declined_card_is_refused_in_the_banks_words(
    payments: StripePayments, parties: Parties, card: str, code: str
) -> None:
    with pytest.raises(ProviderRefused) as refused:
        parties.paid(usd(5_000), card=card)
    assert refused.value.provider_code == code
    kept = payments.charge_of(refused.value.facts["payment_intent"])
    assert (kept.status, kept.lost, kept.lines) == ("requires_payment_method", True, ())
    assert payments.balance()["USD"] == usd(0)


def test_currencies_without_and_with_three_digits(payments: StripePayments, parties: Parties) -> None:
    assert parties.paid(Money(12_000, "JPY")).lines[0].fee == 378
    assert parties.paid(Money(12_340, "KWD")).amount == Money(12_340, "KWD")
    with pytest.raises(AmountNotStripeExact):
        parties.paid(Money(12_345, "KWD"))
    in_balance(payments)


def test_a_refund_takes_the_money_back_at_once(payments: StripePayments, parties: Parties) -> None:
    paid = parties.paid(usd(10_000))
    gone = payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(4_000))
    assert (gone.status, gone.lines[0].amount, gone.lines[0].fee) == ("succeeded", -4_000, 0)
    assert payments.charge_of(paid.id).refunded == usd(4_000)
    in_balance(payments)


def test_a_refund_may_return_part_of_the_fee(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    control.terms(refund_fee="returned")
    paid = parties.paid(usd(10_000))
    gone = payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(5_000))
    assert (gone.lines[0].fee, gone.lines[0].net) == (-160, -4_840)
    in_balance(payments)


def test_no_more_is_refunded_than_was_paid(payments: StripePayments, parties: Parties) -> None:
    paid = parties.paid(usd(10_000))
    parties.paid(usd(90_000))
    with pytest.raises(ProviderRefused) as refused:
        payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(10_001))
    assert refused.value.provider_code == "amount_too_large"
    payments.refund("r", "r:2", payment_intent=paid.id, amount=usd(10_000))
    with pytest.raises(ProviderRefused) as refused:
        payments.refund("r2", "r2:1", payment_intent=paid.id, amount=usd(1))
    assert refused.value.provider_code == "charge_already_refunded"


def test_a_refund_waits_for_money_and_then_goes(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    paid = parties.paid(usd(10_000), card="pm_card_visa")
    waits = payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(9_000))
    assert (waits.status, waits.pending_reason, waits.lines) == ("pending", "insufficient_funds", ())
    control.advance(timedelta(days=2))
    gone = payments.refund_by_id(waits.id)
    assert (gone.status, gone.pending_reason, len(gone.lines)) == ("succeeded", None, 1)
    in_balance(payments)


def test_a_slow_refund_arrives_later(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    parties.paid(usd(90_000))
    paid = parties.paid(usd(10_000), card="pm_card_pendingRefund")
    control.advance(timedelta(days=2))
    slow = payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(9_000))
    assert (slow.status, slow.pending_reason) == ("pending", "processing")
    control.advance(timedelta(hours=1))
    assert payments.refund_by_id(slow.id).status == "succeeded"


def test_a_refund_can_fail_after_it_succeeded_and_the_money_returns(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    paid = parties.paid(usd(90_000))
    before = payments.balance()["USD"]
    control.next_refunds({"status": "failed", "failure_reason": "lost_or_stolen_card"})
    gone = payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(9_000))
    assert gone.status == "succeeded"
    control.advance(timedelta(hours=1))
    failed = payments.refund_by_id(gone.id)
    assert (failed.status, failed.lost, failed.failure_code) == ("failed", True, "lost_or_stolen_card")
    assert [line.amount for line in failed.lines] == [-9_000, 9_000]
    assert payments.balance()["USD"] == before
    assert payments.charge_of(paid.id).refunded == usd(0)
    again = payments.refund("r2", "r2:1", payment_intent=paid.id, amount=usd(90_000 - 3_000))
    assert again.status == "succeeded"
    assert {"refund.created", "refund.failed", "refund.updated"} <= {
        each.type for each in payments.events(NOON)
    }
    in_balance(payments)


def test_a_pending_refund_can_be_canceled_by_the_bank(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    paid = parties.paid(usd(90_000))
    control.next_refunds({"status": "pending", "stay": True})
    gone = payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(9_000))
    control.advance(timedelta(days=30))
    assert payments.refund_by_id(gone.id).status == "pending"
    control.move_refund(gone.id, "canceled")
    assert payments.refund_by_id(gone.id).status == "canceled"
    in_balance(payments)


def test_a_transfer_is_usable_when_its_charge_settles(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee, paid = parties.payee(), parties.paid(usd(10_000), card="pm_card_visa")
    sent = payments.transfer(
        "t", "t:1", amount=usd(9_000), destination=payee.id, transfer_group="milestone_1",
        source_transaction=paid.charge,
    )  # fmt: skip
    assert (sent.status, sent.lines[0].amount) == ("paid", -9_000)
    assert payments.available(account=payee.id)["USD"] == usd(0)
    with pytest.raises(ProviderRefused):
        payments.payout("p", "p:1", account=payee.id, amount=usd(9_000))
    control.advance(timedelta(days=2))
    assert payments.payout("p", "p:2", account=payee.id, amount=usd(9_000)).status == "pending"
    in_balance(payments)
    in_balance(payments, payee.id)


def test_a_transfer_cannot_exceed_its_charge(payments: StripePayments, parties: Parties) -> None:
    payee, paid = parties.payee(), parties.paid(usd(10_000))
    with pytest.raises(ProviderRefused) as refused:
        payments.transfer(
            "t", "t:1", amount=usd(10_001), destination=payee.id, transfer_group="milestone_1",
            source_transaction=paid.charge,
        )  # fmt: skip
    assert refused.value.provider_code == "amount_too_large"


def test_a_reversal_brings_money_back_from_the_payee(payments: StripePayments, parties: Parties) -> None:
    payee = parties.funded_payee(usd(10_000))
    sent = next(line.source for line in payments.balance_lines(*ALL) if line.type == "transfer")
    assert sent
    back = payments.reverse_transfer("v", "v:1", transfer=sent, amount=usd(4_000))
    assert (back.lines[0].amount, back.lines[0].reporting_category) == (4_000, "transfer_reversal")
    now = payments.transfer_by_id(sent)
    assert (now.status, now.reversed) == ("partially_reversed", usd(4_000))
    assert payments.balance(account=payee.id)["USD"] == usd(6_000)
    with pytest.raises(ProviderRefused):
        payments.reverse_transfer("v2", "v2:1", transfer=sent, amount=usd(6_001))
    in_balance(payments, payee.id)


def test_a_payout_goes_out_travels_and_arrives(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.funded_payee(usd(10_000))
    out = payments.payout("p", "p:1", account=payee.id, amount=usd(10_000))
    seen = [out.status]
    for hours in (1, 47):
        control.advance(timedelta(hours=hours))
        seen.append(payments.payout_by_id(out.id, account=payee.id).status)
    assert seen == ["pending", "in_transit", "paid"]
    assert payments.balance(account=payee.id)["USD"] == usd(0)
    in_balance(payments, payee.id)


def test_an_instant_payout_takes_half_an_hour(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.funded_payee(usd(10_000))
    out = payments.payout("p", "p:1", account=payee.id, amount=usd(10_000), method="instant")
    control.advance(timedelta(minutes=30))
    assert payments.payout_by_id(out.id, account=payee.id).status == "paid"


def test_a_payout_can_fail_after_it_was_paid_and_another_bank_helps(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.funded_payee(usd(10_000), bank="btok_us_accountClosed")
    out = payments.payout("p", "p:1", account=payee.id, amount=usd(10_000))
    control.advance(timedelta(days=2))
    assert payments.payout_by_id(out.id, account=payee.id).status == "paid"
    control.advance(timedelta(days=1))
    failed = payments.payout_by_id(out.id, account=payee.id)
    assert (failed.status, failed.lost, failed.failure_code) == ("failed", True, "account_closed")
    assert [line.amount for line in failed.lines] == [-10_000, 10_000]
    assert payments.balance(account=payee.id)["USD"] == usd(10_000)
    assert payments.payee_account(payee.id).bank_status == "errored"
    with pytest.raises(ProviderRefused) as refused:
        payments.payout("p", "p:2", account=payee.id, amount=usd(10_000))
    assert refused.value.provider_code == "bank_account_unusable"
    healed = payments.replace_bank("b", "b:1", account=payee.id, bank_token="btok_us")
    assert (healed.bank_status, healed.payouts_enabled) == ("new", True)
    assert payments.payout("p", "p:3", account=payee.id, amount=usd(10_000)).status == "pending"
    in_balance(payments, payee.id)


def test_the_next_payout_fails_when_it_is_told_to(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.funded_payee(usd(10_000))
    control.next_payouts({"code": "could_not_process"})
    out = payments.payout("p", "p:1", account=payee.id, amount=usd(5_000))
    control.advance(timedelta(days=2))
    assert payments.payout_by_id(out.id, account=payee.id).failure_code == "could_not_process"
    kinds = {each.type for each in payments.events(NOON, account=payee.id)}
    assert {"payout.created", "payout.failed", "account.updated"} <= kinds


def test_payouts_can_be_brought_home_at_once(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.funded_payee(usd(10_000))
    out = payments.payout("p", "p:1", account=payee.id, amount=usd(5_000))
    assert control.advance_payouts() == [out.id]
    assert payments.payout_by_id(out.id, account=payee.id).status == "paid"


def test_lines_are_read_by_time_to_the_second(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    parties.paid(usd(5_000))
    control.advance(timedelta(seconds=1))
    later = parties.paid(usd(6_000))
    second = NOON + timedelta(seconds=1)
    assert list(payments.balance_lines(second, second + timedelta(seconds=1))) == list(later.lines)
    assert list(payments.balance_lines(NOON + timedelta(microseconds=1), second)) == []
