"""Balance sheet, income statement and trial balance on screen, of any day, by role, and as files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.db import Database
from core.records.audit import audit_entries
from core.rules.permissions import TABLE, Permission
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.downloading import offered, rows_of, taken
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", PEOPLE)
def test_whoever_may_read_the_ledger_reads_the_statements(town: Town, subject: str) -> None:
    builders.funded(town)
    seen = words(visit(town, subject, "financial_statements"))
    may = bool(town.roles[subject] & TABLE[Permission.READ_LEDGER])
    assert ("Total liabilities and equity" in seen) is may
    assert ("Client funds held" in seen) is may


def test_a_figure_opens_what_it_is_made_of(town: Town) -> None:
    builders.funded(town)
    day = town.now.date().isoformat()
    seen = words(visit(town, "fay", "financial_statements", days=day))
    assert f"/trial_balance?line=held&amp;currency=USD&amp;at={day}" in seen
    assert f"/account?code=stripe_balance&amp;iso=USD&amp;days={day}&amp;days={day}" in seen
    held = visit(town, "fay", "trial_balance", line="held", currency="USD", at=day)
    assert list(held.dataframe[-1].value["code"]) == ["held:1"]
    account = visit(town, "fay", "account", code="stripe_balance", iso="USD", until=day)
    assert "Closing, " in words(account)
    assert len(account.dataframe[0].value) == 1


def test_the_income_statement_stands_beside_the_period_before(town: Town) -> None:
    builders.in_mediation(town)
    seen = words(visit(town, "fay", "financial_statements", report="income", beside="before"))
    assert "Total income" in seen
    assert "Change" in seen


def test_the_trial_balance_of_a_day_before_everything_is_empty(town: Town) -> None:
    builders.funded(town)
    then = (town.now.date() - timedelta(days=400)).isoformat()
    assert "Nothing was posted by then" in words(visit(town, "fay", "trial_balance", at=then))
    assert "Nothing was posted by then" in words(visit(town, "fay", "financial_statements", days=then))


def test_zero_balances_show_every_line(town: Town) -> None:
    builders.funded(town)
    assert "Bad debts" not in words(visit(town, "fay", "financial_statements"))
    assert "Suspense" in words(visit(town, "fay", "financial_statements", zeros="true"))
    lines = visit(town, "fay", "trial_balance", zeros="true").dataframe[0].value
    assert "5130" in {str(each).strip() for each in lines["number"]}


def test_a_statement_can_be_taken_as_csv_xlsx_and_pdf(town: Town) -> None:
    builders.funded(town)
    app = visit(town, "fay", "financial_statements")
    starts = {name: taken(app, name).content[:4] for name in offered(app)}
    assert starts == {
        "balance-sheet.csv": b"\xef\xbb\xbfN",
        "balance-sheet.xlsx": b"PK\x03\x04",
        "balance-sheet.pdf": b"%PDF",
    }
    total = [row for row in rows_of(taken(app, "balance-sheet.csv")) if row["Account"] == "Total assets"]
    assert len(total) == 1
    with town.database.reading() as session:
        exports = select(audit_entries.c.object_id).where(audit_entries.c.action == "desk:table:export")
        assert sorted(name.rpartition(".")[2] for name in session.scalars(exports)) == [
            "csv",
            "csv",
            "pdf",
            "xlsx",
        ]
