"""A payee who cannot be paid yet: the money waits with the reason, and goes by itself when they can."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.parties import payee_accounts
from core.db import Database
from core.money import Money
from core.processes import payee_accounts as reading
from core.queries import release_blocks, stopped_money
from core.records import Party, PayeeAccount, Payout
from core.rules.payee_accounts import CurrencyNotTaken
from tests.builders import Told
from tests.sandbox_desk import Market

DUE = ["individual.id_number"]
ENTRIES = text("select after from audit_entries where action = 'system:payee_account:follow' order by id")


def account(market: Market) -> PayeeAccount:
    found: PayeeAccount = market.get(PayeeAccount, market.payee_id)
    return found


def move(market: Market, to: str, **fields: Any) -> None:
    """Something happens to the payee's account at Stripe, and Stripe says so."""
    market.control.set_clock(market.now)
    market.control.move_account(account(market).account, to, **fields)
    assert reading.read(market.desk, account(market).account)


def released(market: Market) -> Told:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    return told


def waits(market: Market, told: Told) -> list[str]:
    found = market.read(lambda session: release_blocks.after_release(session, [told.milestone]))
    return [block.code for block in found[told.milestone]]


def test_an_account_opened_with_a_bank_is_kept_as_one_that_can_be_paid(market: Market) -> None:
    row = account(market)
    assert (row.can_be_paid, row.transfers, row.payouts_enabled, row.past_due) == (True, "active", True, [])
    assert row.banks["USD"]["last4"] == "6789"


def test_a_release_waits_for_a_payee_who_is_not_verified_and_goes_by_itself(market: Market) -> None:
    market.newcomers(bank=None)
    told = released(market)
    assert waits(market, told) == ["payee_account"]
    (stopped,) = market.read(stopped_money.stopped)
    assert "details from the payee that are past due (type of business, bank account, address" in stopped.why
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, market.sent("/v1/transfers")) == ("BLOCKED", [])
    move(market, "submitted", outcome="at_once", bank="btok_us")
    market.work()
    assert waits(market, told) == []
    market.later(days=3)
    (payout,) = market.all(Payout)
    assert payout.status == "PAID"
    market.lawful()


def test_a_payee_who_is_stopped_between_release_and_payment_is_paid_later(market: Market) -> None:
    told = market.submitted()
    move(market, "demanded", fields=DUE, after=3600)
    assert account(market).due_at == market.now + timedelta(hours=1)
    assert account(market).can_be_paid
    market.wait(hours=2)
    move(market, "demanded", fields=DUE, after=0)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    assert (waits(market, told), market.operations("TRANSFER")[0].status) == (["payee_account"], "BLOCKED")
    move(market, "verified")
    market.work()
    assert market.operations("TRANSFER")[0].status == "SUCCEEDED"


def test_news_that_come_late_are_met_by_the_refusal_and_the_payment_waits(market: Market) -> None:
    told = market.submitted()
    market.control.set_clock(market.now)
    market.control.move_account(account(market).account, "rejected", reason="fraud")
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, market.all(Payout)[0].status) == ("QUEUED", "REQUESTED")
    assert waits(market, told) == ["payee_account"]
    market.later(minutes=5)
    assert market.operations("TRANSFER")[0].status == "BLOCKED"
    (stopped,) = market.read(stopped_money.stopped)
    assert "Stripe rejected the account because it suspects fraud" in stopped.why
    move(market, "verified")
    market.later(minutes=5)
    assert market.operations("TRANSFER")[0].status == "SUCCEEDED"


def test_an_older_reading_changes_nothing(market: Market) -> None:
    before = account(market)
    market.control.move_account(before.account, "rejected")
    earlier = market.now - timedelta(minutes=1)
    found = market.desk.payments.payee_account(before.account)
    market.database.run(
        lambda session: payee_accounts.follow(session, found, asked_at=earlier, now=market.now)
    )
    assert account(market).can_be_paid


def test_what_changed_leaves_one_entry_without_the_bank(market: Market) -> None:
    def entries() -> list[Any]:
        return market.read(lambda session: [row.after for row in session.execute(ENTRIES)])

    before = len(entries())
    move(market, "paused")
    move(market, "paused")
    assert len(entries()) == before + 1
    assert entries()[-1] == {"disabled_reason": "platform_paused", "payouts_enabled": False}
    assert "6789" not in str(entries())


def test_an_account_that_was_not_read_for_a_day_is_read_again(market: Market) -> None:
    assert reading.read_due(market.desk) == 0
    market.control.move_account(account(market).account, "paused")
    market.wait(days=1)
    assert reading.read_due(market.desk) >= 1
    assert not account(market).can_be_paid


def test_nothing_is_promised_or_paid_in_a_currency_that_no_bank_of_the_payee_takes(
    market: Market, owner: Database
) -> None:
    with pytest.raises(CurrencyNotTaken, match="only USD"):
        market.agreed(Money(100_000, "EUR"))
    euros = market.party("PAYEE", "EUR")
    project = market.agreed()
    with owner.transaction() as session:
        session.execute(
            text("update projects set payee_id = :payee where id = :project"),
            {"payee": euros, "project": project.id},
        )
    first = market.milestones(project.id)[0]
    with pytest.raises(CurrencyNotTaken, match="only EUR"):
        market.act(fund.fund, market.payer, milestone_id=first.id)


def test_a_payee_without_any_bank_may_be_promised_money(market: Market) -> None:
    market.newcomers(bank=None)
    assert market.agreed(Money(100_000, "EUR")).id


@pytest.mark.parametrize(
    "statement",
    [
        "insert into payee_accounts (party_id, account, transfers, payouts_enabled, details_submitted, currently_due,"
        " past_due, pending_verification, banks, read_at) values (:payer, 'acct_other', 'active', true, true, '[]',"
        " '[]', '[]', '{}', now())",
        "update payee_accounts set account = 'acct_other' where party_id = :payee",
        "update payee_accounts set can_be_paid = true where party_id = :payee",
        "update payee_accounts set transfers = 'likely' where party_id = :payee",
        "delete from payee_accounts where party_id = :payee",
    ],
    ids=["of-a-payer", "another-account", "by-hand", "another-word", "gone"],
)
def test_the_database_refuses_an_account_that_is_not_the_payees(market: Market, statement: str) -> None:
    values = {"payer": market.payer_id, "payee": market.payee_id}
    with pytest.raises(DBAPIError):
        market.database.run(lambda session: session.execute(text(statement), values))


def test_a_party_without_an_account_there_is_nobodys(market: Market, a_stranger: Callable[[], Any]) -> None:
    assert market.get(Party, market.payee_id).stripe_account
    found = a_stranger()
    assert not market.database.run(
        lambda session: payee_accounts.follow(session, found, asked_at=market.now, now=market.now)
    )


@pytest.fixture
def a_stranger(market: Market) -> Callable[[], Any]:
    return lambda: market.desk.payments.create_payee_account(
        "stranger", "stranger:1", email="who@example.com", country="US", currency="USD", bank_token="btok_us"
    )
