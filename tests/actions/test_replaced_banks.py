"""A payout that failed because of the bank goes by itself to the one in its place; payees with a bank per currency."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from core.actions.milestones import verification
from core.actions.payouts import payout_review
from core.actions.payouts.replaced_banks import REASON
from core.money import Money
from core.policy import HOME_SERVICES
from core.processes import payee_accounts, provider_accounts
from core.queries import stopped_money
from core.records import PayeeAccount, Payout
from core.rules.payouts import PayoutStatus
from tests.actions.stripe_events import told_by_webhook
from tests.sandbox_desk import Market

HOLD = HOME_SERVICES.bank_change_hold


def replace(market: Market, bank: str = "btok_us_verified") -> None:
    market.control.set_clock(market.now)
    provider_accounts.replace_bank(market.desk, market.payee_id, asked_as=f"to {bank}", bank_token=bank)


def account(market: Market) -> str:
    return str(market.get(PayeeAccount, market.payee_id).account)


def add_bank(market: Market, currency: str, country: str, number: str) -> None:
    """As the payee adds one on Stripe's own pages: the default of its currency from now on."""
    market.control.set_clock(market.now)
    bank = {"object": "bank_account", "country": country, "currency": currency, "account_number": number}
    body = {"external_account": bank, "default_for_currency": "true"}
    market.desk.payments._v1.accounts.external_accounts.create(account(market), body)  # type: ignore[attr-defined]
    payee_accounts.read(market.desk, account(market))


def banks(market: Market) -> dict[str, Any]:
    return dict(market.get(PayeeAccount, market.payee_id).banks)


def released(market: Market, *amounts: Money) -> None:
    told = market.submitted(*amounts)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()


def paid_to(market: Market) -> list[tuple[str, str, str]]:
    """Of every payout at Stripe: its currency, how it stands, where it went; the oldest first."""
    found = market.at_stripe("/v1/payouts", account=account(market))
    return [(each["currency"], each["status"], each["destination"]) for each in reversed(found)]


def retries(market: Market) -> list[tuple[Any, ...]]:
    wanted = text(
        "select actor_kind, reason from audit_entries where action = 'system:payout:retry' order by id"
    )
    return market.read(lambda session: [tuple(row) for row in session.execute(wanted)])


def the_payout(market: Market) -> Payout:
    (found,) = market.all(Payout)
    return found


def came_back(market: Market) -> None:
    """The bank sends it back days after it was paid, and Stripe tells us."""
    market.later(days=8)
    (payout,) = market.all(Payout)
    told_by_webhook(market, "payout.failed", payout.stripe_payout, account(market))
    market.work()


@pytest.mark.parametrize("bank", ["btok_us_noAccount", "btok_us_accountClosed"], ids=["refused", "came back"])
def test_a_payout_that_failed_at_a_bank_goes_to_the_one_in_its_place(market: Market, bank: str) -> None:
    market.newcomers(bank=bank)
    released(market)
    market.later(days=3)
    if bank == "btok_us_accountClosed":
        came_back(market)
    assert the_payout(market).status == PayoutStatus.ADMINISTRATIVE_REVIEW
    replace(market)
    assert the_payout(market).status == PayoutStatus.TRANSFERRED
    market.work()
    (stopped,) = market.read(stopped_money.stopped)
    assert "bank account was changed" in stopped.why
    market.later(seconds=HOLD.total_seconds())
    market.later(days=3)
    assert the_payout(market).status == PayoutStatus.PAID
    assert the_payout(market).failed_bank is None
    (first, second) = paid_to(market)
    assert (first[1], second[1]) == ("failed", "paid")
    assert first[2] != second[2] == banks(market)["USD"]["called"]
    assert [reason for _, reason in retries(market)] == [REASON]
    market.lawful()


def test_a_payout_that_comes_back_from_a_bank_replaced_meanwhile_goes_to_the_new_one(market: Market) -> None:
    market.newcomers(bank="btok_us_accountClosed")
    released(market)
    market.later(days=2, hours=2)
    assert the_payout(market).status == PayoutStatus.PAID
    replace(market)
    came_back(market)
    market.later(days=4)
    assert the_payout(market).status == PayoutStatus.PAID
    assert [status for _, status, _ in paid_to(market)] == ["failed", "paid"]
    assert len(retries(market)) == 1
    market.lawful()


def test_a_payout_refused_because_its_bank_failed_before_goes_to_the_new_one_too(market: Market) -> None:
    market.newcomers(bank="btok_us_noAccount")
    released(market)
    market.later(days=3)
    once_more = {"payout_id": the_payout(market).id, "reason": "Try once more.", "anyway": True}
    market.act(payout_review.retry, market.as_staff("fay"), **once_more)
    market.work()
    assert the_payout(market).status == PayoutStatus.ADMINISTRATIVE_REVIEW
    replace(market)
    market.later(days=6)
    market.later(days=3)
    assert the_payout(market).status == PayoutStatus.PAID
    assert len(retries(market)) == 1


def test_what_failed_for_another_reason_waits_for_a_person(market: Market) -> None:
    market.newcomers(bank="btok_us_insufficientFunds")
    released(market)
    market.later(days=3)
    assert the_payout(market).status == PayoutStatus.ADMINISTRATIVE_REVIEW
    replace(market)
    market.later(days=4)
    assert the_payout(market).status == PayoutStatus.ADMINISTRATIVE_REVIEW
    assert retries(market) == []


def test_a_bank_that_fails_too_is_not_tried_twice(market: Market) -> None:
    market.newcomers(bank="btok_us_noAccount")
    released(market)
    market.later(days=3)
    replace(market, "btok_us_invalidCurrency")
    for _ in range(4):
        market.later(days=2)
    assert the_payout(market).status == PayoutStatus.ADMINISTRATIVE_REVIEW
    assert the_payout(market).failed_bank == banks(market)["USD"]["called"]
    payee_accounts.read(market.desk, account(market))
    assert len(retries(market)) == 1


def test_each_currency_goes_to_its_own_bank_and_replacing_one_leaves_the_other(market: Market) -> None:
    add_bank(market, "eur", "DE", "000123456789")
    there = banks(market)
    assert sorted(there) == ["EUR", "USD"]
    released(market, Money(100_000, "USD"))
    released(market, Money(80_000, "EUR"))
    market.later(days=3)
    first = {(currency.upper(), destination) for currency, _, destination in paid_to(market)}
    assert first == {(currency, bank["called"]) for currency, bank in there.items()}
    replace(market, "btok_us_debitNotAuthorized")
    now = banks(market)
    assert (now["EUR"], now["USD"]["last4"]) == (there["EUR"], "3335")
    released(market, Money(90_000, "EUR"))
    market.later(days=3)
    assert paid_to(market)[-1] == ("eur", "paid", there["EUR"]["called"])
    add_bank(market, "eur", "DE", "000111111113")
    after = banks(market)
    assert after["USD"] == now["USD"]
    assert after["EUR"]["last4"] == "1113"
    market.lawful()
