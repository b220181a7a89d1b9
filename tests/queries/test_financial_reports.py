"""The reports say what the postings say, on every day, and assets are always liabilities and equity."""

from __future__ import annotations

import io
import itertools
from datetime import date, timedelta
from typing import NamedTuple

import openpyxl
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from core import report_files
from core.db import Database
from core.ledger import accounts, invariants, journal_store, postings
from core.ledger.accounts import CHART, AccountType, Book
from core.ledger.journal_store import Overdraft
from core.ledger.journals import Journal, Posting
from core.money import Money
from core.queries import account_activity, financial_reports, ledger
from core.queries.financial_reports import FinancialReport, FinancialReportKind
from core.queries.movements import FIRST, Period, PeriodBackwards, before, moved, year_to
from core.report_files import Level
from tests import builders
from tests.builders import NOW, Town

TODAY = NOW.date()
TURNS = itertools.count(1)
ACCOUNTS = ("held:{0}1", "held:{0}2", "held:{0}3", "payee_payable:{0}1", "bank")


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def book(town: Town, journal: Journal, *, days: int = 0) -> int:
    at = town.now + timedelta(days=days)
    return town.database.run(lambda session: journal_store.post(session, journal, now=at))


def of(town: Town, kind: FinancialReportKind, period: Period, **asked: object) -> FinancialReport:
    (report, *_) = town.read(lambda s: financial_reports.reports(s, kind, period, **asked))  # type: ignore[arg-type]
    return report


def said(report: FinancialReport) -> dict[str, tuple[Money | None, ...]]:
    return {row.id: row.amounts for row in report.rows if row.level is not Level.HEADING}


def lived(town: Town) -> None:
    """Last year: a bank balance and a fee earned. This month: another fee, and a charge of the bank's."""
    book(town, postings.opening_balance(key="o", account="bank", amount=usd(1000), cause={}), days=-400)
    book(town, earned("a", 70), days=-300)
    book(town, earned("b", 50), days=-2)
    book(town, Journal("c", "x", (Posting("bank_charges", usd(20)), Posting("bank", usd(-20)))), days=-1)


def earned(key: str, minor: int) -> Journal:
    return Journal(
        key, "x", (Posting("stripe_balance", usd(minor)), Posting("platform_fee_revenue", usd(-minor)))
    )


def test_a_balance_sheet_keeps_what_was_earned_earlier_apart_from_the_result(town: Town) -> None:
    lived(town)
    period = Period(TODAY - timedelta(days=30), TODAY)
    report = of(town, FinancialReportKind.BALANCE_SHEET, period)
    shown = said(report)
    assert shown["retained_earnings"] == (usd(70),)
    assert shown["result"] == (usd(30),)
    assert shown["opening_balances"] == (usd(1000),)
    assert shown["total-asset"] == shown["total-both"] == (usd(1100),)
    assert report.difference.is_zero
    assert shown["bank"] == (usd(980),)


def test_a_balance_sheet_of_an_earlier_day_knows_nothing_of_later_ones(town: Town) -> None:
    lived(town)
    then = TODAY - timedelta(days=200)
    assert said(of(town, FinancialReportKind.BALANCE_SHEET, Period(then, then)))["total-asset"] == (
        usd(1070),
    )
    assert (
        town.read(
            lambda s: financial_reports.reports(s, FinancialReportKind.BALANCE_SHEET, Period(FIRST, FIRST))
        )
        == []
    )


def test_an_income_statement_stands_beside_another_period_with_the_change(town: Town) -> None:
    lived(town)
    period = Period(TODAY - timedelta(days=9), TODAY)
    report = of(
        town,
        FinancialReportKind.INCOME,
        period,
        compared=Period(TODAY - timedelta(days=350), TODAY - timedelta(days=250)),
    )
    assert report.columns[-1] == "Change"
    shown = said(report)
    assert shown["platform_fee_revenue"] == (usd(50), usd(70), usd(-20))
    assert shown["total-expense"] == (usd(20), usd(0), usd(20))
    assert shown["result"] == (usd(30), usd(70), usd(-40))


def test_zero_balances_are_listed_on_wish(town: Town) -> None:
    lived(town)
    few = of(town, FinancialReportKind.TRIAL_BALANCE, year_to(TODAY))
    every = of(town, FinancialReportKind.TRIAL_BALANCE, year_to(TODAY), zeros=True)
    assert "suspense" not in said(few)
    assert said(every)["suspense"] == (None, None)
    assert {row.name for row in every.rows if row.name} == {
        line.name for line in CHART.values() if line.book is Book.PLATFORM
    }


def test_a_trial_balance_leads_from_opening_to_closing_balances(town: Town) -> None:
    lived(town)
    report = of(
        town, FinancialReportKind.TRIAL_BALANCE, Period(TODAY - timedelta(days=30), TODAY), movements=True
    )
    assert said(report)["bank"] == (usd(1000), None, None, usd(20), usd(980), None)
    total = said(report)["total"]
    assert (total[0], total[2], total[4]) == (total[1], total[3], total[5])


def test_lines_stand_in_the_order_of_their_numbers(town: Town) -> None:
    builders.funded(town)
    report = of(town, FinancialReportKind.BALANCE_SHEET, year_to(TODAY), zeros=True)
    numbers = [row.number for row in report.rows if row.number]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("period", "earlier"),
    [
        (Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2026, 2, 1), date(2026, 2, 28))),
        (Period(date(2026, 1, 1), date(2026, 3, 31)), Period(date(2025, 10, 1), date(2025, 12, 31))),
        (Period(date(2026, 3, 1), date(2026, 3, 30)), Period(date(2026, 2, 1), date(2026, 2, 28))),
        (Period(date(2026, 1, 1), date(2026, 1, 9)), Period(date(2025, 12, 1), date(2025, 12, 9))),
        (Period(date(2026, 3, 5), date(2026, 3, 11)), Period(date(2026, 2, 26), date(2026, 3, 4))),
        (Period(date(2026, 3, 5), date(2026, 3, 5)), Period(date(2026, 3, 4), date(2026, 3, 4))),
    ],
)
def test_the_period_before_is_as_long_or_the_months_before(period: Period, earlier: Period) -> None:
    assert before(period) == earlier


def test_a_period_does_not_run_backwards() -> None:
    with pytest.raises(PeriodBackwards):
        Period(date(2026, 3, 2), date(2026, 3, 1))


class Step(NamedTuple):
    debit: str
    credit: str
    minor: int
    day: int


HOT = sorted(line.name for line in CHART.values() if line.hot and line.book is Book.PLATFORM)
STEPS = st.lists(
    st.builds(
        Step, st.sampled_from(HOT), st.sampled_from(HOT), st.integers(1, 10**9), st.integers(-40, 0)
    ).filter(lambda step: step.debit != step.credit),
    min_size=1,
    max_size=12,
)


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(steps=STEPS, first=st.integers(-40, 0), length=st.integers(0, 40))
def test_whatever_is_posted_the_reports_agree_with_the_postings(
    town: Town, steps: list[Step], first: int, length: int
) -> None:
    period = Period(TODAY + timedelta(days=first), TODAY + timedelta(days=min(0, first + length)))
    with town.database.transaction() as session:
        for n, step in enumerate(steps):
            lines = (Posting(step.debit, usd(step.minor)), Posting(step.credit, usd(-step.minor)))
            journal_store.post(session, Journal(f"k{n}", "x", lines), now=town.now + timedelta(days=step.day))
        (sheet,) = financial_reports.reports(session, FinancialReportKind.BALANCE_SHEET, period) or [None]
        (income,) = financial_reports.reports(session, FinancialReportKind.INCOME, period) or [None]
        if sheet is not None and income is not None:
            shown = said(sheet)
            assert shown["total-asset"] == shown["total-both"]
            assert shown.get("result", (usd(0),)) == said(income)["result"]
        for name in HOT:
            by_hand = sum(
                (step.debit == name) * step.minor - (step.credit == name) * step.minor
                for step in steps
                if TODAY + timedelta(days=step.day) <= period.last
            )
            activity = account_activity.activity(session, name, "USD", period)
            grows = 1 if CHART[name].side is accounts.Side.DEBIT else -1
            assert activity.closing == usd(by_hand * grows)
            below = activity.entries[-1] if activity.entries else None
            moved_by = (below.debit or usd(0)) - (below.credit or usd(0)) if below else usd(0)
            assert activity.opening == (below.balance - moved_by * grows if below else activity.closing)
            if activity.entries:
                assert activity.entries[0].balance == activity.closing
        session.rollback()


def test_the_activity_of_a_period_is_read_over_pages(town: Town) -> None:
    lived(town)
    period = Period(TODAY - timedelta(days=350), TODAY)
    first = town.read(lambda s: account_activity.activity(s, "stripe_balance", "USD", period, limit=1))
    second = town.read(
        lambda s: account_activity.activity(
            s, "stripe_balance", "USD", period, before=first.entries[0].id, limit=1
        )
    )
    assert [each.balance for each in (*first.entries, *second.entries)] == [usd(120), usd(70)]


def test_the_activity_of_a_period_is_the_same_when_it_is_rolled_up(town: Town, owner: Database) -> None:
    """Also where one was booked late for an earlier day, after what was rolled up already."""
    yesterday = Period(TODAY - timedelta(days=1), TODAY - timedelta(days=1))
    for key, days in (("a", 1), ("b", 0), ("late", 1), ("c", 0), ("later", 1)):
        at = town.now - timedelta(days=days)
        town.database.run(lambda s, key=key, at=at: journal_store.post(s, earned(key, 5), now=at))
        if key in ("b", "late"):
            builders.roll_up(owner)

    def told() -> tuple[list[tuple[str, Money]], int]:
        each, nothing = (
            town.read(
                lambda s, before=before: account_activity.activity(  # type: ignore[misc]
                    s, "stripe_balance", "USD", yesterday, before=before
                )
            )
            for before in (None, 1)
        )
        return [(entry.key, entry.balance) for entry in each.entries], len(nothing.entries)

    expected = [("later", usd(15)), ("late", usd(10)), ("a", usd(5))]
    assert told() == (expected, 0)
    builders.roll_up(owner)
    assert told() == (expected, 0)
    assert town.read(lambda s: invariants.check(s, "daily_totals_agree")) == []


def test_an_accounts_page_asks_for_no_journals_by_their_time(town: Town) -> None:
    """However many were posted in the period: it is read between the journals that the daily totals name."""
    values = {"account": 1, "line": 129, "iso": 840, "first": TODAY, "last": TODAY, "since": town.now,
              "until": town.now, "before": 9, "limit": 5}  # fmt: skip
    with town.database.rehearsal() as session:
        session.execute(text("set local enable_seqscan = off"))
        plan = session.execute(text(f"explain {account_activity.ENTRIES.text}"), values).scalars().all()
    assert not [line for line in plan if "posted_at_idx" in line], plan
    assert [line for line in plan if "register_pkey" in line], plan


def test_accounts_stand_as_they_stood_that_day(town: Town) -> None:
    told = builders.funded(town)
    then = town.now.date()
    town.wait(days=3)
    later = builders.funded(town)
    rows = town.read(lambda s: ledger.accounts_of(s, "held", "USD", at=then))
    assert [row.code for row in rows] == [f"held:{told.milestone}"]
    now = town.read(lambda s: ledger.accounts_of(s, "held", "USD"))
    assert [row.code for row in now] == [f"held:{later.milestone}", f"held:{told.milestone}"]
    line = said(of(town, FinancialReportKind.BALANCE_SHEET, year_to(then)))["held"]
    assert line == (Money.total((row.credit for row in rows if row.credit), "USD"),)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(ACCOUNTS), st.integers(-9, 0), st.integers(1, 5), st.booleans()),
        max_size=12,
    )
)
def test_accounts_as_of_any_day_are_the_sums_of_their_postings(
    town: Town, owner: Database, moves: list[tuple[str, int, int, bool]]
) -> None:
    """Whatever was booked late or taken back, whether it is rolled up or not, page by page."""
    turn = next(TURNS)
    for number, (account, days, minor, rolled) in enumerate(moves):
        posted = usd(minor if number % 3 else -minor)
        code = account.format(turn * 10)
        try:
            parts = (Posting("stripe_balance", posted), Posting(code, -posted))
            book(town, Journal(f"{turn}.{number}", "x", parts), days=days)
        except Overdraft:
            continue
        if rolled:
            builders.roll_up(owner)
    plain = text(
        "select a.code, sum(p.amount)::bigint as net from postings p join accounts a on a.id = p.account_id "
        "where (p.posted_at at time zone 'UTC')::date <= :at group by 1 having sum(p.amount) <> 0"
    )
    for day in (TODAY - timedelta(days=back) for back in range(11)):
        expected = dict(town.read(lambda s, day=day: s.execute(plain, {"at": day}).all()))
        for line in ("held", "payee_payable", "stripe_balance", "bank"):
            found, before = [], None
            while page := town.read(
                lambda s, line=line, day=day, before=before: ledger.accounts_of(  # type: ignore[misc]
                    s, line, "USD", at=day, before=before, limit=2
                )
            ):
                found += page
                before = page[-1].id
                if not before:
                    break
            nets = {row.code: (row.debit or usd(0)).minor - (row.credit or usd(0)).minor for row in found}
            assert nets == {code: net for code, net in expected.items() if code.partition(":")[0] == line}, (
                line,
                day,
            )
    assert town.read(lambda s: invariants.check(s, "daily_totals_agree")) == []


def test_accounts_of_an_earlier_day_are_read_by_their_own_pages_only(town: Town) -> None:
    """However much was posted since: no journal is asked for by its time, and none is read but by its number."""
    values = {"line": 1, "iso": 840, "before": 9, "limit": 5, "everything": False, "per": "milestone", "at": TODAY,
              "until": town.now}  # fmt: skip
    with town.database.rehearsal() as session:
        session.execute(text("set local enable_seqscan = off"))
        plan = session.execute(text(f"explain {ledger.AS_OF[False].text}"), values).scalars().all()
    assert not [line for line in plan if "posted_at_idx" in line], plan
    assert [line for line in plan if "register_pkey" in line], plan


def test_a_report_is_one_statement_whatever_was_posted(town: Town) -> None:
    builders.funded(town)
    seen: list[str] = []
    with town.database.reading() as session:
        session.connection()
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        financial_reports.reports(
            session, FinancialReportKind.BALANCE_SHEET, year_to(TODAY), compared=before(year_to(TODAY))
        )
    assert len(seen) == 1


def test_the_files_say_what_the_report_says(town: Town) -> None:
    lived(town)
    report = of(town, FinancialReportKind.BALANCE_SHEET, year_to(TODAY), compared=before(year_to(TODAY)))
    sheets = [financial_reports.sheet(report)]
    book = openpyxl.load_workbook(io.BytesIO(report_files.xlsx(sheets)))
    rows = {row[1]: row[2] for row in book.worksheets[0].iter_rows(min_row=4, values_only=True)}
    assert rows["Total assets"] == 11
    (total,) = (row for row in report_files.csv_rows(sheets) if "Total assets" in row)
    assert total[:2] == ["Balance sheet, USD", "total"]
    assert (str(total[4]), total[-1]) == ("11.00", "USD")
    assert len(total) == len(report_files.csv_titles(sheets))
    drawn = report_files.pdf(sheets)
    assert drawn == report_files.pdf(sheets)
    assert len(pikepdf.open(io.BytesIO(drawn)).pages) == 1


def test_every_line_of_the_chart_can_stand_in_a_report() -> None:
    assert set(financial_reports.PLURALS) == set(AccountType)
    assert moved.__doc__ is not None


def test_a_day_is_one_of_utc(town: Town) -> None:
    """One second before midnight is that day, midnight is the next."""
    midnight = town.now.replace(hour=0, minute=0, second=0, microsecond=0)
    for key, at in (("late", midnight - timedelta(seconds=1)), ("early", midnight)):
        town.database.run(lambda s, key=key, at=at: journal_store.post(s, earned(key, 5), now=at))
    day = midnight.date()
    found = town.read(
        lambda s: moved(s, [Period(day - timedelta(days=1), day - timedelta(days=1)), Period(day, day)])
    )
    assert [each["stripe_balance", "USD"].net for each in found] == [5, 5]


def test_the_totals_of_days_and_the_tail_are_read_together(town: Town) -> None:
    """What is rolled up, and what is not yet."""
    lived(town)
    with town.database.reading() as session:
        assert session.execute(text("select count(*) from daily_totals")).scalar_one() == 0
    assert said(of(town, FinancialReportKind.BALANCE_SHEET, year_to(TODAY)))["total-asset"] == (usd(1100),)
