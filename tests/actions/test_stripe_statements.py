"""Stripe's books are read for the platform and for every payee: whole, once, and on from where a run was broken off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import func, select

from core.actions.milestones import verification
from core.db import Database
from core.errors import DeskError
from core.ledger import accounts, journal_store
from core.processes import stripe_statements
from core.records import Party, PayeeStatementLine, StatementCursor, StatementLine, StripePayout
from core.rules.reconciliation import StripeBook
from tests.sandbox_desk import Market


class Unreachable(DeskError):
    """Stripe does not answer for this account."""


@dataclass
class Watched:
    """The provider, which notes what its lists are asked, and breaks one off after some objects."""

    real: Any
    breaks_after: int | None = None
    unreachable: str | None = None
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def balance_lines(
        self, since: Any, until: Any, *, account: str | None, after: str | None
    ) -> Iterator[Any]:
        return self._listed("lines", self.real.balance_lines, since, until, account, after)

    def payouts(self, since: Any, until: Any, *, account: str | None, after: str | None) -> Iterator[Any]:
        return self._listed("payouts", self.real.payouts, since, until, account, after)

    def _listed(
        self, what: str, real: Any, since: Any, until: Any, account: Any, after: Any
    ) -> Iterator[Any]:
        self.asked.append((what, account, after))
        if account is not None and account == self.unreachable:
            raise Unreachable
        found = real(since, until, account=account, after=after)
        if self.breaks_after is None or what != "lines":
            yield from found
            return
        yield from islice(found, self.breaks_after)
        raise KeyboardInterrupt


def paid_out(market: Market) -> str:
    """A milestone approved and paid out to the payee; the id of the payout."""
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    market.later(days=5)
    (payout,) = market.at_stripe("/v1/payouts", market.get(Party, market.payee_id).stripe_account)
    return str(payout["id"])


def watched(market: Market, **how: Any) -> tuple[Any, Watched]:
    provider = Watched(market.desk.payments, **how)
    return replace(market.desk, payments=provider), provider


def count(market: Market, table: Any) -> int:
    return market.read(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


def test_payees_accounts_are_read_and_agree_with_their_memo_book(market: Market) -> None:
    payout = paid_out(market)
    market.control.add_float(5_000, "USD")
    assert stripe_statements.fetch(market.desk, market.now) == count(market, StatementLine) > 0
    assert stripe_statements.fetch_payees(market.desk, market.now) == 2
    account = market.get(Party, market.payee_id).stripe_account
    lines = market.all(PayeeStatementLine)
    assert {(each.account, each.party_id) for each in lines} == {(account, market.payee_id)}
    assert sorted(each.reporting_category for each in lines) == ["charge", "payout"]
    balance = market.read(
        lambda session: journal_store.balance(session, accounts.connected_balance(market.payee_id), "USD")
    )
    assert sum(each.net for each in lines) == balance.minor == 0
    row = market.get(StripePayout, payout)
    assert (row.account, row.party_id, row.status) == (account, market.payee_id, "paid")
    assert row.balance_transaction in {each.id for each in lines}


def test_what_was_read_is_not_read_again_but_for_the_last_days(market: Market) -> None:
    paid_out(market)
    first = stripe_statements.fetch(market.desk, market.now)
    stripe_statements.fetch_payees(market.desk, market.now)
    before = count(market, StatementLine), count(market, PayeeStatementLine), count(market, StripePayout)
    assert stripe_statements.fetch(market.desk, market.now) == first
    for again, of_payees in ((first, 2), (0, 0)):
        market.wait(days=20)
        market.control.set_clock(market.now)
        assert stripe_statements.fetch(market.desk, market.now) == again
        assert stripe_statements.fetch_payees(market.desk, market.now) in (of_payees, 1)
    assert (
        count(market, StatementLine),
        count(market, PayeeStatementLine),
        count(market, StripePayout),
    ) == before


def test_payouts_are_asked_for_only_where_there_is_more_to_know(market: Market) -> None:
    paid_out(market)
    desk, provider = watched(market)
    stripe_statements.fetch_payees(desk, market.now)
    assert [what for what, _, _ in provider.asked].count("payouts") == 1
    for _ in range(2):  # first the last days once more
        market.wait(days=20)
        market.control.set_clock(market.now)
        provider.asked.clear()
        stripe_statements.fetch_payees(desk, market.now)
    assert {what for what, _, _ in provider.asked} == {"lines"}


def test_a_payout_that_came_back_after_it_was_paid_is_seen(market: Market) -> None:
    payout = paid_out(market)
    stripe_statements.fetch_payees(market.desk, market.now)
    market.wait(days=3)
    market.control.set_clock(market.now)
    market.control.move_payout(payout, "failed")
    stripe_statements.fetch_payees(market.desk, market.now)
    row = market.get(StripePayout, payout)
    assert (row.status, row.failure_balance_transaction is None) == ("failed", False)
    assert market.get(PayeeStatementLine, row.failure_balance_transaction).net == row.amount


def test_a_run_that_was_broken_off_goes_on_after_the_last_line_that_was_kept(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        market.control.add_float(1_000, "USD")
    monkeypatch.setattr(stripe_statements, "BATCH", 1)
    desk, provider = watched(market, breaks_after=2)
    with pytest.raises(KeyboardInterrupt):
        stripe_statements.fetch(desk, market.now)
    kept = market.get(StatementCursor, ("", StripeBook.LINES)).window_after
    assert count(market, StatementLine) == 2
    provider.breaks_after = None
    provider.asked.clear()
    assert stripe_statements.fetch(desk, market.now) == 1
    assert ("lines", None, kept) in provider.asked
    assert count(market, StatementLine) == 3
    cursor = market.get(StatementCursor, ("", StripeBook.LINES))
    assert (cursor.window_since, cursor.window_after, cursor.failure) == (None, None, None)


def test_an_account_that_cannot_be_read_stops_no_other_and_says_why(market: Market) -> None:
    first = market.get(Party, market.payee_id).stripe_account
    market.newcomers()
    paid_out(market)
    desk, provider = watched(market, unreachable=first)
    stripe_statements.fetch_payees(desk, market.now)
    cursor = market.get(StatementCursor, (first, StripeBook.LINES))
    assert (cursor.failure, cursor.read_until) == ("Stripe does not answer for this account.", None)
    assert count(market, PayeeStatementLine) == 2
    provider.unreachable = None
    stripe_statements.fetch_payees(desk, market.now)
    assert market.get(StatementCursor, (first, StripeBook.LINES)).failure is None


def test_the_platforms_account_must_be_read(market: Market, database: Database) -> None:
    market.control.fault("500", path="/v1/balance_transactions", times=20)
    with pytest.raises(DeskError):
        stripe_statements.fetch(market.desk, market.now)
