"""Covered or short by currency, and what is due by day: each figure is whose it says, and of when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from core.actions.milestones import verification
from core.db import Database
from core.money import Money
from core.queries import client_funds, cover, payout_calendar
from core.queries.cover import Position
from core.records import PaymentOrder
from core.rules.client_funds import Cover
from dashboard.finance.cover import until
from tests import builders
from tests.builders import Told, Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def completed(town: Town) -> Told:
    """Work that the payer has 7 days to look at."""
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    return told


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def positions(town: Town) -> dict[str, Position]:
    found = town.read(lambda s: cover.positions(s, client_funds.funds(s, now=town.now), now=town.now))
    return {each.currency: each for each in found}


def read_at_stripe(town: Town, minor: int) -> None:
    with town.database.transaction() as session:
        session.execute(
            text(
                "insert into stripe_balances (currency, looked_at, at_stripe_minor, owed_minor, on_its_way_minor)"
                " values ('USD', :now, :minor, :owed, 0)"
            ),
            {"now": town.now, "minor": minor, "owed": positions(town)["USD"].owed.minor},
        )


def test_what_stripe_says_decides_and_what_nobody_read_is_not_known(town: Town) -> None:
    builders.funded(town)
    owed = positions(town)["USD"].owed
    assert positions(town)["USD"].cover is Cover.UNKNOWN
    read_at_stripe(town, owed.minor)
    assert positions(town)["USD"].cover is Cover.COVERED
    town.wait(minutes=1)
    read_at_stripe(town, owed.minor - 5)
    row = positions(town)["USD"]
    assert row.cover is Cover.SHORT
    assert row.look is not None
    assert row.look.short == usd(5)
    assert row.at_bank is None, "no statement was imported"


def test_today_is_beside_yesterday(town: Town) -> None:
    builders.funded(town)
    owed = positions(town)["USD"]
    assert owed.since_yesterday == owed.owed
    town.wait(days=1)
    assert positions(town)["USD"].since_yesterday == usd(0)


def test_every_day_ahead_is_there_and_what_silence_approves_is_on_its_own(town: Town) -> None:
    told = completed(town)
    found = town.read(lambda s: payout_calendar.calendar(s, now=town.now))
    assert [each.day for each in found.days] == [town.now.date() + timedelta(days=n) for n in range(14)]
    (busy,) = [each for each in found.days if each.number]
    order = town.read(lambda s: s.get_one(PaymentOrder, told.milestone).held_minor)
    assert (busy.day, busy.amounts) == ((town.now + timedelta(days=7)).date(), {"USD": usd(order)})
    assert found.total("USD") == usd(order)


def test_the_overview_begins_with_it(town: Town, tmp_path_factory: pytest.TempPathFactory) -> None:
    completed(town)
    serve(town, tmp_path_factory.mktemp("home"))
    seen = words(visit(town, "fay", "overview"))
    for shown in (
        "At our bank, by the bank",
        "Not known",
        "never read",
        "no statement",
        "Payout calendar",
        "Take rate",
    ):
        assert shown in seen, shown
    assert 'href="/trial_balance?currency=USD"' in seen, "a figure leads to what it is made of"
    assert "code=stripe_balance" not in seen.partition("Payout calendar")[0], "Stripe's figure was never read"
    read_at_stripe(town, 5)
    assert 'href="/account?code=stripe_balance&amp;iso=USD"' in words(visit(town, "fay", "overview"))


def test_a_statement_of_another_year_says_which() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    days = (date(2026, 2, 28), date(2025, 12, 31))
    assert [until(each, now) for each in days] == ["end of 28 Feb", "end of 31 Dec 2025"]
