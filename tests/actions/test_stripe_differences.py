"""A line that Stripe states otherwise than it was booked: the difference is booked and explained by two people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.reconciliation import breaks, stripe_differences, suspense
from core.actions.reconciliation.stripe_differences import NoDifference, StillInSuspense
from core.db import Database
from core.money import Money
from core.queries import breaks as queries
from core.queries import fee_breakdown, fees
from core.queries import suspense as suspense_queries
from core.queries.fee_breakdown import FeeBy
from core.records import BalanceTransaction, LineCorrection, SuspenseItem
from core.rules.breaks import BreakIsClosed
from core.rules.permissions import NotPermitted
from core.rules.proposals import MakerIsChecker
from core.rules.suspense import NotADifference, SettledAs
from tests.actions.test_bank_matching import open_breaks, run
from tests.sandbox_desk import Market


def amended(market: Market, **amounts: int) -> queries.BreakRow:
    """A top-up of 100.00 that Stripe states otherwise the next morning."""
    market.pay_in(10_000)
    run(market)
    (booked,) = market.all(BalanceTransaction)
    market.control.amend(booked.id, **amounts)
    run(market, hours=20)
    (row,) = open_breaks(market)
    return row


def explain(market: Market, row: queries.BreakRow, what: SettledAs, who: str = "fay") -> None:
    facts = {"break_id": row.id, "settled_as": what, "reason": "Stripe's support said so."}
    market.act(stripe_differences.explain, market.as_staff(who), **facts)


def approve(market: Market, who: str = "ada") -> None:
    items = [each.id for each in market.all(SuspenseItem) if each.status == "OPEN"]
    market.act(suspense.approve, market.as_staff(who), item_ids=items, reason="Seen.")


def test_a_fee_that_differs_is_booked_by_two_people_and_then_both_sides_agree(market: Market) -> None:
    row = amended(market, fee=40)
    assert (row.class_, row.difference) == ("FEE", Money(-40, "USD"))
    with pytest.raises(NotPermitted):
        explain(market, row, SettledAs.PROCESSOR_FEE, "mia")
    explain(market, row, SettledAs.PROCESSOR_FEE)
    assert market.books() == {"bank": -10_000, "stripe_balance": 9_960, "suspense": -40}
    (waiting,) = open_breaks(market)
    assert (waiting.id, waiting.state, waiting.class_) == (row.id, "PROPOSED", "FEE")
    assert run(market).status == "SUSPENSE"
    with pytest.raises(MakerIsChecker):
        approve(market, "fay")
    approve(market)
    assert market.books() == {"bank": -10_000, "stripe_balance": 9_960, "fee_variance": 40}
    assert open_breaks(market) == []
    assert run(market).status == "CLEAN"
    market.lawful()


def test_a_fee_of_a_payment_that_is_restated_is_variance_on_the_day_of_its_approval(market: Market) -> None:
    told = market.funded()
    run(market)
    (charged,) = [each for each in market.all(BalanceTransaction) if each.kind == "charge"]
    known = market.read(lambda s: fee_breakdown.actual(s, [told.milestone]))[told.milestone]
    market.control.amend(charged.id, fee=charged.fee + 40)
    run(market, hours=20)
    (row,) = open_breaks(market)
    before = variance(market)
    explain(market, row, SettledAs.PROCESSOR_FEE)
    (item,) = [each for each in market.all(SuspenseItem) if each.status == "OPEN"]
    shown = market.read(lambda s: suspense_queries.item(s, item.id))
    legs = market.read(
        lambda s: suspense_queries.entry(shown.amount, SettledAs.PROCESSOR_FEE, None, restated=shown.restated)
    )
    assert [(leg.code, leg.debit or leg.credit) for leg in legs] == [
        ("fee_variance", Money(40, "USD")),
        ("suspense", Money(40, "USD")),
    ]
    approve(market)
    period = {"since": market.now - timedelta(days=30), "until": market.now}
    (day, *_) = reversed(market.read(lambda s: fees.periods(s, **period, step=fees.FeeInterval.DAY))["USD"])
    assert (day.begins, day.variance, day.processor - day.estimated) == (
        market.now.date(),
        *[Money(40, "USD")] * 2,
    )
    assert variance(market) == before + Money(40, "USD")
    (project,) = market.read(lambda s: fee_breakdown.rows(s, FeeBy.PROJECT, currency="USD", **period))
    assert project.fees.variance == variance(market)
    now_known = market.read(lambda s: fee_breakdown.actual(s, [told.milestone]))[told.milestone]
    assert now_known == replace(known, actual=known.actual + Money(40, "USD"))
    market.lawful()


def variance(market: Market) -> Money:
    period = {"since": market.now - timedelta(days=30), "until": market.now}
    found = market.read(lambda s: fees.periods(s, **period, step=fees.FeeInterval.DAY))["USD"]
    return fees.total(found, "USD").variance


def test_an_amount_that_differs_says_so_in_suspense_and_rejected_it_stays_there(market: Market) -> None:
    row = amended(market, amount=10_700)
    assert (row.class_, row.difference) == ("AMOUNT_DIFFERS", Money(700, "USD"))
    with pytest.raises(NotADifference):
        explain(market, row, SettledAs.RETURN_TO_PAYER)
    explain(market, row, SettledAs.OTHER_INCOME)
    (item,) = market.all(SuspenseItem)
    market.act(suspense.reject, market.as_staff("ada"), item_ids=[item.id], reason="Ask again.")
    run(market)
    (left,) = open_breaks(market)
    assert (left.state, left.class_, left.kind) == ("OPEN", "AMOUNT_DIFFERS", "IN_SUSPENSE")
    assert "differs by $7.00 from what was booked; that lies in suspense" in left.sentence
    with pytest.raises(NoDifference):
        explain(market, left, SettledAs.OTHER_INCOME)
    market.lawful()


def test_a_split_that_differs_alone_has_nothing_to_book(market: Market) -> None:
    row = amended(market, amount=10_040, fee=40)
    with pytest.raises(NoDifference):
        explain(market, row, SettledAs.OTHER_INCOME)


def test_a_closed_break_has_no_difference_and_an_agreeing_line_closes_by_itself(market: Market) -> None:
    row = amended(market, fee=40)
    market.control.amend(row.object, fee=0)
    run(market)
    assert open_breaks(market) == []
    with pytest.raises(BreakIsClosed):
        explain(market, row, SettledAs.PROCESSOR_FEE)


def test_a_correction_stays_and_is_of_something(market: Market, owner: Database) -> None:
    row = amended(market, fee=40)
    explain(market, row, SettledAs.PROCESSOR_FEE)
    (kept,) = market.all(LineCorrection)
    assert (kept.amount, kept.fee, kept.net) == (0, 40, -40)
    assert market.read(lambda s: breaks.agrees(s, s.get_one(breaks.Break, row.id), now=market.now)) is False
    for said in ("update line_corrections set net = -41, fee = 41", "delete from line_corrections"):
        with pytest.raises(DBAPIError), owner.transaction() as session:
            session.execute(text(said))


def test_a_line_that_is_stated_otherwise_again_is_corrected_again(market: Market) -> None:
    row = amended(market, fee=40)
    explain(market, row, SettledAs.PROCESSOR_FEE)
    approve(market)
    market.control.amend(row.object, fee=65)
    assert run(market).status == "BREAKS"
    (again,) = open_breaks(market)
    assert (again.id, again.class_, again.difference) == (row.id, "FEE", Money(-25, "USD"))
    explain(market, again, SettledAs.PROCESSOR_FEE)
    assert market.books() == {"bank": -10_000, "stripe_balance": 9_935, "fee_variance": 40, "suspense": -25}
    approve(market)
    assert [(each.fee, each.net) for each in market.all(LineCorrection)] == [(40, -40), (25, -25)]
    assert run(market).status == "CLEAN"
    assert open_breaks(market) == []
    told = market.read(lambda s: queries.history(s, queries.one(s, row.id, now=market.now)))
    assert [each.action for each in told].count("staff:suspense:settle") == 2
    market.lawful()


def test_what_is_stated_otherwise_while_it_waits_is_explained_first_and_stays_a_break(market: Market) -> None:
    row = amended(market, fee=40)
    explain(market, row, SettledAs.PROCESSOR_FEE)
    market.control.amend(row.object, fee=65)
    for _ in range(2):
        run(market)
        (waits,) = open_breaks(market)
        assert (waits.id, waits.kind, waits.state) == (row.id, "IN_SUSPENSE", "PROPOSED")
    steps = market.read(lambda s: queries.history(s, queries.one(s, row.id, now=market.now)))
    approve(market)
    (left,) = open_breaks(market)
    assert (left.id, left.kind, left.difference) == (row.id, "AMOUNT_DIFFERS", Money(-25, "USD"))
    assert left.state == "OPEN"
    assert len(steps) < 8  # nothing is noted anew by each run
    explain(market, left, SettledAs.PROCESSOR_FEE)
    approve(market)
    assert run(market).status == "CLEAN"
    market.lawful()


def test_a_line_has_one_amount_in_suspense_at_a_time(market: Market) -> None:
    row = amended(market, fee=40)
    explain(market, row, SettledAs.PROCESSOR_FEE)
    market.control.amend(row.object, fee=65)
    run(market)
    market.database.run(lambda s: setattr(s.get_one(breaks.Break, row.id), "kind", "AMOUNT_DIFFERS"))
    with pytest.raises(StillInSuspense, match="S-"):
        explain(market, row, SettledAs.PROCESSOR_FEE)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stated=st.lists(st.tuples(st.integers(1, 30_000), st.integers(-500, 500)), min_size=1, max_size=3))
def test_whatever_stripe_states_in_turn_the_corrections_sum_to_it(
    market: Market, stated: list[tuple[int, int]]
) -> None:
    if not market.all(BalanceTransaction):
        market.pay_in(10_000)
        run(market)
    (line,) = market.all(BalanceTransaction)
    for amount, fee in stated:
        market.control.amend(line.id, amount=amount, fee=fee)
        run(market)
        for row in open_breaks(market):
            try:
                explain(market, row, SettledAs.PROCESSOR_FEE)
            except NoDifference:
                continue
            approve(market)
        booked = line.net + sum(each.net for each in market.all(LineCorrection))
        assert booked == amount - fee == market.books().get("stripe_balance", 0)
