"""How the finance desk's SQL costs as the ledger grows, matching and export beside bare SQL, in one run on one server.

    python -m bench.size [--postings 500000] [--small 50000] [--lines 100000] [--rounds 5]

The same reads are timed at both sizes. Stripe's lines are compared as a reconciliation does it, beside one bare join of
them; the export as CSV is written beside a raw COPY of the same rows. The design's sizes are 5,000,000 postings and
1,000,000 lines; the ledger is filled with every law intact, and that is checked.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench import filled_ledger
from bench.filled_ledger import FIRST, PER_MILESTONE
from bench.ledger import reachable
from core import ledger_export
from core.actions.funding import balance_transactions
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres, Urls
from core.ledger import invariants
from core.ledger_export import LedgerFilter, LedgerFormat
from core.migrate import upgrade
from core.policy import Platform
from core.processes import reconciliation
from core.queries import (
    account_activity,
    cover,
    fee_breakdown,
    fees,
    held_funds,
    journals,
    ledger,
    overview,
    periods,
    yearly_statements,
)
from core.queries.fee_breakdown import FeeBy
from core.queries.financial_reports import FinancialReportKind, reports
from core.queries.journals import JournalFilter
from core.queries.movements import Period
from core.rules.periods import PeriodKind, span
from core.rules.permissions import SYSTEM

PAGE_MS, GROWTH, MATCHING, EXPORT = 50.0, 1.3, 3.0, 0.7
NOW = FIRST + timedelta(days=365)
TODAY: date = NOW.date()
LATELY = NOW - timedelta(days=90)
MONTH = Period(TODAY - timedelta(days=30), TODAY)
LAWS = ("journals_balance", "balances_agree", "nothing_below_zero", "books_balance", "register_agrees",
        "daily_totals_agree", "fee_totals_agree", "marketplace_totals_agree", "balance_sheet_balances")  # fmt: skip
Read = Callable[[Session], Any]


def _reads(milestone: int) -> Mapping[str, Read]:
    """What each finance page asks of the ledger; `milestone` is one in the middle."""
    month = span(PeriodKind.MONTH, TODAY - timedelta(days=40))
    compared = Period(date(TODAY.year - 1, 1, 1), TODAY - timedelta(days=365))
    return {
        "Overview: totals by currency": overview.totals,
        "Overview: since yesterday": lambda s: cover.positions(s, (), now=NOW),
        "Overview: ninety days": lambda s: held_funds.days(
            s, "USD", first=TODAY - timedelta(days=89), last=TODAY
        ),
        "Trial balance, now": ledger.sheets,
        "Trial balance, as of a day": lambda s: ledger.sheets(s, at=TODAY - timedelta(days=90), beside=TODAY),
        "Accounts of a line": lambda s: ledger.accounts_of(s, "held", "USD"),
        "Accounts of a line, as of a day": lambda s: ledger.accounts_of(
            s, "held", "USD", at=TODAY - timedelta(days=30)
        ),
        "Accounts of payees, as of a day": lambda s: ledger.accounts_of(
            s, "payee_payable", "USD", at=TODAY - timedelta(days=180)
        ),
        "Account of a milestone": lambda s: ledger.register(s, f"held:{milestone}", "USD"),
        "Account with the most postings": lambda s: ledger.register(s, "stripe_balance", "USD"),
        "Its activity in a month": lambda s: account_activity.activity(s, "stripe_balance", "USD", MONTH),
        "Balance sheet, beside another year": lambda s: reports(
            s, FinancialReportKind.BALANCE_SHEET, Period(date(TODAY.year, 1, 1), TODAY), compared=compared
        ),
        "Income statement": lambda s: reports(s, FinancialReportKind.INCOME, MONTH),
        "Journals, newest": lambda s: journals.page(s, JournalFilter(), limit=51),
        "Journals of a kind": lambda s: journals.page(s, JournalFilter(kind="withdrawal"), limit=51),
        "Fees by day": lambda s: fees.periods(
            s, since=NOW - timedelta(days=90), until=NOW, step=fees.FeeInterval.DAY
        ),
        "Fees by marketplace, 90 days": _fees(FeeBy.PLATFORM),
        **{
            f"Fees by {by.value.replace('_', ' ')}, 90 days": _fees(by)
            for by in FeeBy
            if by != FeeBy.PLATFORM
        },
        "Postings of a project's fees": _postings(FeeBy.PROJECT, str(milestone * 9 // 10)),
        "Postings of a payee's fees": _postings(FeeBy.PAYEE, "7"),
        "Postings of a payout method's fees": _postings(FeeBy.METHOD, "instant"),
        "Figures of a month that is closed": lambda s: periods.figures(s, month),
        "A marketplace's year": lambda s: yearly_statements.of_marketplace(
            s, Platform.HOME_SERVICES, TODAY.year, today=TODAY
        ),
        "Income and expense of a year": lambda s: periods.results(s, span(PeriodKind.YEAR, TODAY)),
    }


def _fees(by: FeeBy) -> Read:
    """A page of them, with the row that says whether there are more."""
    limit = 51 if by in fee_breakdown.OWNED else fee_breakdown.MOST
    return lambda s: fee_breakdown.rows(s, by, currency="USD", since=LATELY, until=NOW, limit=limit)


def _postings(by: FeeBy, of: str) -> Read:
    return lambda s: fee_breakdown.postings(s, by, of, currency="USD", since=LATELY, until=NOW)


def _once(database: Database, read: Read) -> float:
    with database.reading() as session:
        began = time.perf_counter()
        read(session)
        return (time.perf_counter() - began) * 1000


def _pages(both: Sequence[Urls], milestone: int, rounds: int) -> dict[str, list[float]]:
    """Of each read its milliseconds in both ledgers, which take turns, so that noise of the machine meets both."""
    databases = [Database(urls.app_url) for urls in both]
    try:
        return {
            name: [
                median(took[1:])
                for took in zip(
                    *([_once(each, read) for each in databases] for _ in range(rounds + 1)), strict=True
                )
            ]
            for name, read in _reads(milestone).items()
        }
    finally:
        for each in databases:
            each.dispose()


def _matching(urls: Urls, rounds: int) -> tuple[float, float]:
    """Milliseconds of all that a run asks of the lines once they are read, from those not booked to its end, and of a
    bare join of the same lines. They take turns; the median of the rounds."""
    database = Database(urls.app_url)

    def reconciled(session: Session) -> None:
        balance_transactions.unbooked(session)
        run_id = reconciliation._next_id(session)
        reconciliation._start(session, SYSTEM, run_id, NOW, NOW)
        reconciliation._compare(session, SYSTEM, run_id, NOW, {}, now=NOW)

    def joined(session: Session) -> None:
        session.execute(
            text("select count(*), sum(s.net) from statement_lines s join balance_transactions b using (id)")
        )

    def once(ask: Read) -> float:
        with database.rehearsal() as session:
            began = time.perf_counter()
            ask(session)
            return (time.perf_counter() - began) * 1000

    try:
        took = [(once(reconciled), once(joined)) for _ in range(rounds + 1)][1:]
    finally:
        database.dispose()
    return median([each for each, _ in took]), median([each for _, each in took])


def _export(urls: Urls, rounds: int) -> tuple[float, float]:
    """Rows per second of the export as CSV, and of a raw COPY of the same rows and columns; they take turns, and the
    median of the rounds is compared."""
    database = Database(urls.auditor_url)

    def rate(write: Callable[[Session, Any], int]) -> float:
        with database.reading() as session, tempfile.TemporaryFile() as file:
            began = time.perf_counter()
            return write(session, file) / (time.perf_counter() - began)

    try:
        rates = [(rate(_as_desk), rate(_raw)) for _ in range(rounds)]
    finally:
        database.dispose()
    return median([desk for desk, _ in rates]), median([raw for _, raw in rates])


def _as_desk(session: Session, file: Any) -> int:
    return ledger_export.write(session, LedgerFilter(), LedgerFormat.CSV, file, lambda done, total: None)


def _raw(session: Session, file: Any) -> int:
    connection: Any = session.connection().connection.driver_connection
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy ({ledger_export.plain_query()}) to stdout (format csv)") as copy,
    ):
        rows = 0
        for block in copy:
            file.write(block)
            rows += bytes(block).count(b"\n")
    return rows


def _laws(urls: Urls) -> None:
    database = Database(urls.auditor_url)
    with database.reading() as session:
        if broken := invariants.check(session, *LAWS):
            raise AssertionError(broken[0])
    database.dispose()


def _said(name: str, good: bool, words: str) -> bool:
    print(f"{'✓' if good else '✗'} {name:<40} {words}", flush=True)
    return good


def _filled(urls: Urls, postings: int) -> None:
    upgrade(urls.owner_url)
    with psycopg.connect(urls.owner_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        filled_ledger.fill(connection, int(postings / PER_MILESTONE))
    _laws(urls)


def measure(few: Urls, urls: Urls, *, small: int, postings: int, lines: int, rounds: int) -> bool:
    _filled(few, small)
    began = time.perf_counter()
    _filled(urls, postings)
    print(
        f"{postings:,} postings filled, every law checked, in {time.perf_counter() - began:,.0f} s",
        flush=True,
    )
    fine = True
    for name, (before, after) in _pages((few, urls), int(small / PER_MILESTONE) // 2, rounds).items():
        growth = after / before
        words = f"{before:8.1f} ms → {after:8.1f} ms  × {growth:5.2f}"
        fine &= _said(name, after <= PAGE_MS and growth <= GROWTH, words)
    with psycopg.connect(urls.owner_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        filled_ledger.stripe_lines(connection, lines)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    compared, joined = _matching(urls, rounds)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) // 1024
    words = f"{compared:8.0f} ms, bare join {joined:.0f} ms  × {compared / joined:.2f}, Python + {grown} MB"
    fine &= _said(f"{lines:,} lines reconciled", compared / joined <= MATCHING, words)
    csv, raw = _export(urls, min(rounds, 3))
    return (
        _said(
            "export as CSV ÷ raw COPY",
            csv / raw >= EXPORT,
            f"{csv:,.0f} of {raw:,.0f} rows/s = {csv / raw:.2f}",
        )
        and fine
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--postings", type=int, default=500_000)
    parser.add_argument("--small", type=int, default=50_000)
    parser.add_argument("--lines", type=int, default=100_000, help="of Stripe's statement")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="escrow-desk-bench-") as folder:
        postgres = EmbeddedPostgres(reachable(Path(folder)))
        server = postgres.start()
        try:
            sizes = {"small": options.small, "postings": options.postings, "lines": options.lines}
            databases = [server.create_database(f"bench_{name}") for name in ("small", "large")]
            fine = measure(*databases, **sizes, rounds=options.rounds)
        finally:
            postgres.stop()
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
