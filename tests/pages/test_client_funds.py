"""Client funds on screen: what each currency's figure is, from when, and what a shortage says on every finance page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.actions.platform import client_funds
from core.db import Database
from core.money import Money
from core.records import PayoutStop
from core.rules.client_funds import Look
from tests import builders
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


PAGES = (
    "overview",
    "trial_balance",
    "journals",
    "fees",
    "payouts",
    "chargebacks",
    "reconciliation",
    "operations",
)


def looked(town: Town, at_stripe: int, owed: int = 100_000) -> None:
    look = Look(at=town.now, at_stripe=usd(at_stripe), owed=usd(owed), on_its_way=usd(0))
    town.database.run(lambda session: client_funds.record_looks(session, {"USD": look}))


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.mark.parametrize("page", PAGES)
def test_a_shortage_stands_in_red_on_every_finance_page(town: Town, page: str) -> None:
    builders.funded(town)
    looked(town, 20_000)
    at = visit(town, "fay", page)
    (said,) = [each.value.replace("\\", "") for each in at.error]
    assert "Client funds are short by" in said
    assert "800.00" in said
    assert "have stopped" in said


def test_nothing_is_said_above_the_pages_while_all_is_covered(town: Town) -> None:
    builders.funded(town)
    looked(town, 200_000)
    assert not visit(town, "fay", "payouts").error


def test_a_mediator_on_a_page_of_money_is_not_told_the_figures(town: Town) -> None:
    looked(town, 20_000)
    assert not visit(town, "mia", "chargebacks").error


def test_an_old_figure_is_not_called_covered(town: Town) -> None:
    builders.funded(town)
    looked(town, 200_000)
    town.now += timedelta(hours=2)
    at = visit(town, "fay", "overview")
    (table,) = [each.value for each in at.dataframe if "cover" in each.value.columns]
    assert list(table["cover"]) == ["Not known"]


def test_finance_releases_and_the_stop_is_kept(town: Town) -> None:
    builders.funded(town)
    looked(town, 20_000)
    at = visit(town, "fay", "overview")
    stop = town.read(lambda session: session.scalars(select(PayoutStop.id)).one())
    at.text_input(key=f"stop-{stop}-reason").set_value("Our own payout, returned tomorrow.").run()
    at.button(key=f"stop-{stop}-release").click().run()
    assert not at.exception
    assert "Release payouts in USD" not in labels(visit(town, "fay", "overview"))
    at = visit(town, "fay", "payouts")
    (said,) = [each.value for each in at.error]
    assert "have stopped" not in said


def test_compliance_sees_the_stop_and_cannot_release_it(town: Town) -> None:
    builders.funded(town)
    looked(town, 20_000)
    assert "Release payouts in USD" not in labels(visit(town, "cora", "overview"))
