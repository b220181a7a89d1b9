"""What is held, for whom and how long, and how it moved: every figure is the ledger's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.ledger import accounts, journal_store
from core.money import Money
from core.queries import held_funds, ledger
from core.queries.held_funds import HeldFilter
from core.rules.held_age import HeldAge
from tests import builders
from tests.builders import Town


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def test_the_ageing_sums_to_what_the_ledger_holds(town: Town) -> None:
    builders.funded(town)
    town.wait(days=31)
    builders.funded(town)
    town.wait(days=31)
    builders.funded(town)
    (row,) = town.read(lambda session: held_funds.ageing(session, now=town.now))
    held = town.read(ledger.nets)["held", "USD"]
    assert (row.total, row.milestones) == (-held, 3)
    assert {age: not row.of(age).is_zero for age in HeldAge} == {
        HeldAge.NEW: True, HeldAge.OVER_30: True, HeldAge.OVER_60: True, HeldAge.ALARM: False,
    }  # fmt: skip
    town.wait(days=13)
    (row,) = town.read(lambda session: held_funds.ageing(session, now=town.now))
    assert not row.of(HeldAge.ALARM).is_zero


def test_the_list_is_what_the_ageing_counts_the_longest_first(town: Town) -> None:
    first = builders.funded(town)
    town.wait(days=31)
    second = builders.funded(town)

    def listed(**wanted: str) -> list[int]:
        asked = HeldFilter(**wanted)
        rows = town.read(lambda session: held_funds.page(session, asked, now=town.now))
        assert town.read(lambda session: held_funds.count(session, asked, now=town.now)) == len(rows)
        return [row.id for row in rows]

    assert listed() == [first.milestone, second.milestone]
    assert listed(age="OVER_30") == [first.milestone]
    assert listed(age="NEW", platform="home_services", currency="USD") == [second.milestone]
    assert listed(platform="legal_services") == listed(currency="EUR") == []
    (row, _) = town.read(lambda session: held_funds.page(session, HeldFilter(), now=town.now))
    assert row.held == town.read(lambda session: journal_store.balance(session, row.account, "USD"))
    assert row.alarm_at - row.since == timedelta(days=75)


@pytest.mark.parametrize("rolled", [True, False], ids=["rolled up", "in the tail"])
def test_each_day_ends_with_what_the_ledger_says_of_it(town: Town, owner: Database, rolled: bool) -> None:
    told = builders.in_mediation(town)
    town.wait(days=2)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)
    town.wait(days=3)
    builders.funded(town)
    if rolled:
        builders.roll_up(owner)
    first, last = town.now.date() - timedelta(days=8), town.now.date()
    days = town.read(lambda session: held_funds.days(session, "USD", first=first, last=last))
    assert [each.day for each in days] == [first + timedelta(days=number) for number in range(9)]
    for each in days:
        stood = town.read(lambda session, at=each.day: ledger.nets(session, at=at))  # type: ignore[misc]
        nothing = Money.zero("USD")
        assert each.held == -stood.get(("held", "USD"), nothing)
        assert each.at_stripe == stood.get((accounts.STRIPE_BALANCE, "USD"), nothing)
    moved = Money.total((each.came_in - each.went_out for each in days), "USD")
    before = town.read(lambda session: ledger.nets(session, at=first - timedelta(days=1)))
    assert moved == days[-1].at_stripe - before.get((accounts.STRIPE_BALANCE, "USD"), Money.zero("USD"))


def test_an_empty_ledger_has_days_and_no_ageing(town: Town) -> None:
    assert town.read(lambda session: held_funds.ageing(session, now=town.now)) == []
    today = town.now.date()
    (day,) = town.read(lambda session: held_funds.days(session, "KWD", first=today, last=today))
    assert (day.held, day.at_stripe) == (Money.zero("KWD"), Money.zero("KWD"))


def test_the_oldest_are_read_by_the_index_of_what_is_held(town: Town) -> None:
    builders.funded(town)
    query = "explain " + held_funds.PAGE.format(
        alarm=held_funds._ALARM_AT, held=held_funds.HELD, where="true"
    )
    with town.database.reading() as session:
        session.execute(text("set local enable_seqscan = off"))
        plan = "\n".join(session.scalars(text(query), {"limit": 50, "offset": 0}))
    assert "payment_orders_held_since_idx" in plan
