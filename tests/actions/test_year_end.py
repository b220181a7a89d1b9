"""A fiscal year's end: the result moves into retained earnings, and every report stays right to the cent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import audit
from core.actions.periods import closing, reopening
from core.config import Settings
from core.db import Database, write_gathered
from core.ledger import invariants, journal_store, postings
from core.ledger.journals import Journal, Posting
from core.money import Money
from core.queries import fees, financial_reports, ledger, periods
from core.queries.financial_reports import FinancialReportKind
from core.queries.movements import Period as Days
from core.records import Period, YearEndEntry
from core.rules.periods import PeriodKind, PeriodNotReady, span, year_start
from tests import builders
from tests.actions.test_periods import reconciled
from tests.builders import Town

pytestmark = pytest.mark.unrecorded  # the runs of reconciliation are written by hand
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
DAY = timedelta(days=1)
YEAR_LAWS = (
    "closed_periods_stand",
    "closed_figures_stand",
    "closed_years_are_retained",
    "balance_sheet_balances",
)


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    """A desk on 2 March 2026, which is reconciled."""
    town = builders.a_town(database)
    town.signer = audit.signer(tmp_path)  # type: ignore[attr-defined]
    reconciled(town)
    return town


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def book(town: Town, key: str, day: date, account: str, minor: int, currency: str = "USD") -> None:
    """Money in the bank for an income below zero, or out of it for an expense above."""
    amount = Money(minor, currency)
    journal = Journal(key, "x", (Posting(account, amount), Posting("bank", -amount)))
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
    town.database.run(lambda s: journal_store.post(s, journal, now=town.now, happened_at=at))


def close(town: Town, kind: PeriodKind, day: date, **more: int) -> Period:
    return town.act(closing.close, town.as_staff("fay"), kind=kind, day=day, signer=town.signer, **more)  # type: ignore[attr-defined]


def reopen(town: Town, period_id: int) -> list[Period]:
    asked = town.act(
        reopening.propose, town.as_staff("fay"), period_id=period_id, reason="A fee was missing."
    )
    return town.act(reopening.approve, town.as_staff("cora"), reopening_id=asked.id)


def earned(town: Town) -> None:
    book(town, "a", date(2025, 3, 1), "other_income", -1000)
    book(town, "b", date(2025, 12, 31), "bank_charges", 300)
    book(town, "c", date(2025, 6, 1), "platform_fee_revenue", -50, "EUR")
    book(town, "d", date(2026, 1, 1), "other_income", -7)


def shown(
    town: Town, kind: FinancialReportKind, first: date, last: date, currency: str = "USD"
) -> dict[str, int]:
    found = town.read(lambda s: financial_reports.reports(s, kind, Days(first, last)))
    return {
        row.id: row.amounts[0].minor
        for each in found
        if each.currency == currency
        for row in each.rows
        if row.amounts[0] is not None
    }


def trial(town: Town, at: date, *, before: bool = False) -> dict[str, int]:
    """Debits less credits by line, in dollars."""
    sheets = town.read(lambda s: ledger.sheets(s, at=at, before_closing=before))
    return {
        line.name: (line.debit or usd(0)).minor - (line.credit or usd(0)).minor
        for sheet in sheets
        if sheet.currency == "USD"
        for line in sheet.lines
    }


def test_the_result_moves_into_retained_earnings_at_the_last_moment_of_the_year(town: Town) -> None:
    earned(town)
    close(town, PeriodKind.MONTH, LAST)
    row = close(town, PeriodKind.YEAR, LAST)
    assert (row.first_day, row.last_day) == (FIRST, LAST)
    assert trial(town, LAST) == {"bank": 700, "retained_earnings": -700}
    assert trial(town, LAST, before=True) == {"bank": 700, "other_income": -1000, "bank_charges": 300}
    assert trial(town, date(2026, 1, 1)) == {"bank": 707, "retained_earnings": -700, "other_income": -7}
    assert town.read(periods.open_from) == date(2026, 1, 1)
    assert town.read(lambda s: invariants.check(s, *YEAR_LAWS)) == []


def test_both_trial_balances_are_signed(town: Town) -> None:
    earned(town)
    close(town, PeriodKind.MONTH, LAST)
    summary = close(town, PeriodKind.YEAR, LAST).summary
    signed = {
        name: {line["name"]: line["closing"] for line in summary[name][0]["lines"]}
        for name in ("figures", "figures_after")
    }
    assert signed["figures"] == {"bank": 700, "other_income": -1000, "bank_charges": 300}
    assert {name: net for name, net in signed["figures_after"].items() if net} == {
        "bank": 700,
        "retained_earnings": -700,
    }
    row = town.read(periods.rows)[0]
    titles = [sheet.title for sheet in periods.sheets(row)]
    assert "Trial balance before closing, FY 2025, USD" in titles
    assert "Trial balance after closing, FY 2025, USD" in titles
    assert len(row.closing_entries) == 2, "one for each currency"


def test_statements_of_the_year_and_of_the_next_one_say_what_they_said(town: Town) -> None:
    earned(town)
    spans = [(FIRST, LAST), (date(2025, 7, 1), date(2026, 2, 1)), (date(2026, 1, 1), date(2026, 2, 1))]
    kinds = (FinancialReportKind.INCOME, FinancialReportKind.BALANCE_SHEET)
    before = [shown(town, kind, *each) for kind in kinds for each in spans]
    assert (before[0]["result"], before[2]["result"]) == (700, 7)
    close(town, PeriodKind.MONTH, LAST)
    close(town, PeriodKind.YEAR, LAST)
    assert [shown(town, kind, *each) for kind in kinds for each in spans] == before
    assert (
        shown(town, FinancialReportKind.BALANCE_SHEET, date(2026, 1, 1), date(2026, 2, 1))[
            "retained_earnings"
        ]
        == 700
    )


def test_fees_of_the_year_are_what_they_were(town: Town) -> None:
    book(town, "a", date(2025, 12, 31), "platform_fee_revenue", -500)
    close(town, PeriodKind.MONTH, LAST)
    close(town, PeriodKind.YEAR, LAST)
    first = datetime(2025, 12, 1, tzinfo=UTC)
    found = town.read(
        lambda s: fees.periods(s, since=first, until=first + timedelta(days=30), step=fees.FeeInterval.MONTH)
    )
    assert [each.platform for each in found["USD"]] == [usd(500)]


def test_a_year_is_closed_after_its_months_and_before_later_ones(town: Town) -> None:
    earned(town)
    with pytest.raises(PeriodNotReady, match=r"is to be closed first"):
        close(town, PeriodKind.YEAR, LAST)
    close(town, PeriodKind.MONTH, LAST)
    with pytest.raises(PeriodNotReady, match="is not over yet"):
        close(town, PeriodKind.YEAR, date(2026, 1, 1))
    close(town, PeriodKind.YEAR, LAST)
    for late in (LAST, date(2024, 12, 31)):
        with pytest.raises(PeriodNotReady, match="closed already"):
            close(town, PeriodKind.YEAR, late)


def test_a_month_that_is_reopened_takes_the_close_of_its_year_back(town: Town) -> None:
    earned(town)
    month = close(town, PeriodKind.MONTH, LAST)
    year = close(town, PeriodKind.YEAR, LAST)
    opened = reopen(town, month.id)
    assert {each.id for each in opened} == {month.id, year.id}
    assert trial(town, LAST) == {"bank": 700, "other_income": -1000, "bank_charges": 300}
    entries = town.read(lambda s: list(s.query(YearEndEntry)))
    assert all(each.reversal_id for each in entries)
    book(town, "late", LAST, "bank_charges", 40)
    close(town, PeriodKind.MONTH, LAST)
    close(town, PeriodKind.YEAR, LAST)
    assert trial(town, LAST) == {"bank": 660, "retained_earnings": -660}
    assert shown(town, FinancialReportKind.INCOME, FIRST, LAST)["result"] == 660
    assert town.read(lambda s: invariants.check(s, *YEAR_LAWS)) == []


def test_a_year_that_begins_in_july_is_closed_as_such(town: Town) -> None:
    book(town, "a", date(2025, 6, 30), "other_income", -100)
    book(town, "b", date(2025, 7, 1), "other_income", -5)
    close(town, PeriodKind.MONTH, date(2025, 6, 30))
    row = close(town, PeriodKind.YEAR, date(2025, 6, 30), year_begins=7)
    assert (row.first_day, row.last_day) == (date(2024, 7, 1), date(2025, 6, 30))
    assert trial(town, LAST) == {"bank": 105, "retained_earnings": -100, "other_income": -5}


def test_a_year_without_a_result_has_no_entry(town: Town) -> None:
    close(town, PeriodKind.MONTH, LAST)
    close(town, PeriodKind.YEAR, LAST)
    assert town.read(periods.rows)[0].closing_entries == []


@pytest.mark.parametrize(
    "statement",
    [
        "select post_journal('k', 'year_closed', array[147088, 148304]::bigint[], array[1, -1]::bigint[], null, null,"
        " '', '{}', now())",
        "select post_year_end('k', 'manual_journal', array[1, 2]::bigint[], array[1, -1]::bigint[], '', '{}',"
        " '2025-12-31')",
        "update year_end_entries set reversal_id = journal_id",
        "delete from year_end_entries",
        "insert into year_end_entries (journal_id, period_id) select 1, id from periods where kind = 'YEAR'",
        "insert into periods (kind, first_day, last_day, status, closed_via, closed_at, explanation, last_journal,"
        " summary) select 'YEAR', '2024-02-01', '2025-01-31', 'CLOSED', 'x', now(), '', max(id), '{}' from journals",
    ],
)
def test_the_database_lets_no_closing_entry_through_but_of_a_closed_year(town: Town, statement: str) -> None:
    earned(town)
    close(town, PeriodKind.MONTH, LAST)
    close(town, PeriodKind.YEAR, LAST)
    with pytest.raises(DBAPIError), town.database.transaction() as session:
        session.execute(text(statement))


def test_the_database_refuses_a_close_that_leaves_income(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    earned(town)
    close(town, PeriodKind.MONTH, LAST)
    monkeypatch.setattr("core.actions.periods.year_end.results", lambda session, wanted: [])
    with pytest.raises(DBAPIError, match="leaves income or expenses"):
        close(town, PeriodKind.YEAR, LAST)


def test_a_closing_entry_and_what_takes_it_back_undo_each_other() -> None:
    nets = {"other_income": usd(-1000), "bank_charges": usd(300)}
    there = postings.year_closed(key="a", nets=nets, memo="", cause={})
    back = postings.year_reopened(key="b", lines=there.postings, memo="", cause={})
    assert {line.account: line.amount.minor for line in there.postings} == {
        "other_income": 1000,
        "bank_charges": -300,
        "retained_earnings": -700,
    }
    assert [(line.account, -line.amount) for line in back.postings] == [
        (line.account, line.amount) for line in there.postings
    ]


def test_a_fiscal_year_is_named_by_the_years_that_it_touches() -> None:
    assert span(PeriodKind.YEAR, date(2025, 5, 5)).words == "FY 2025"
    assert span(PeriodKind.YEAR, date(2025, 5, 5), year_begins=7).words == "FY 2024/25"
    assert year_start(date(2025, 7, 1), 7) == date(2025, 7, 1)
    assert year_start(date(2025, 6, 30), 7) == date(2024, 7, 1)


ACCOUNTS = ("other_income", "platform_fee_revenue", "bank_charges", "fee_variance", "retained_earnings")


def test_the_setting_says_when_a_year_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().fiscal_year_begins == 1
    monkeypatch.setenv("ESCROW_DESK_FISCAL_YEAR_BEGINS", "7")
    assert Settings().fiscal_year_begins == 7
    monkeypatch.setenv("ESCROW_DESK_FISCAL_YEAR_BEGINS", "13")
    with pytest.raises(ValueError, match="less than or equal to 12"):
        Settings()


DAYS = st.dates(date(2023, 1, 1), date(2026, 2, 20))
BOOKED = st.tuples(
    DAYS,
    st.sampled_from(ACCOUNTS),
    st.integers(-(10**9), 10**9).filter(bool),
)
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=6, deadline=None, phases=NO_SHRINKING, suppress_health_check=SLOW)
@given(
    booked=st.lists(BOOKED, min_size=1, max_size=8),
    begins=st.integers(1, 12),
    asked=st.lists(st.tuples(DAYS, st.integers(0, 900)), min_size=3, max_size=3),
    again=st.booleans(),
)
def test_closing_years_changes_no_statement_of_any_period(
    town: Town, booked: list[tuple[date, str, int]], begins: int, asked: list[tuple[date, int]], again: bool
) -> None:
    """Whatever was booked, whenever the year begins, closed in turn, reopened or not: to the cent."""

    class Undone(Exception):
        """Each example leaves the database as it found it."""

    windows = [(first, first + timedelta(days=length)) for first, length in asked]

    def said(session: Session) -> list[object]:
        kinds = (FinancialReportKind.INCOME, FinancialReportKind.BALANCE_SHEET)
        return [
            financial_reports.reports(session, kind, Days(*each), zeros=True)
            for kind in kinds
            for each in windows
        ]

    def ended(session: Session, day: date, kind: PeriodKind) -> Period:
        more = {"kind": kind, "day": day, "signer": town.signer, "year_begins": begins}  # type: ignore[attr-defined]
        return closing.close(session, town.as_staff("fay"), now=town.now, **more)

    def all_of_it(session: Session) -> None:
        for n, (day, account, minor) in enumerate(booked):
            journal = Journal(f"p{n}", "x", (Posting(account, usd(minor)), Posting("bank", usd(-minor))))
            at = datetime.combine(day, datetime.min.time(), UTC)
            journal_store.post(session, journal, now=town.now, happened_at=at)
        before = said(session)
        last = year_start(date(2026, 1, 1), begins) - DAY
        day = year_start(last, begins) - DAY
        while day <= last:
            ended(session, day, PeriodKind.MONTH)
            if day in (last, year_start(last, begins) - DAY):
                year = ended(session, day, PeriodKind.YEAR)
                assert said(session) == before
            day = span(PeriodKind.MONTH, day + DAY).last
        if again:
            asked = reopening.propose(
                session, town.as_staff("fay"), now=town.now, period_id=year.id, reason="Once more."
            )
            reopening.approve(session, town.as_staff("cora"), now=town.now, reopening_id=asked.id)
            assert said(session) == before
        assert invariants.check(session, *YEAR_LAWS) == []
        write_gathered(session)
        session.execute(text("set constraints all immediate"))
        raise Undone

    with pytest.raises(Undone):
        town.database.run(all_of_it)
