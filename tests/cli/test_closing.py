"""Closing, reopening and reporting from a terminal: exit codes, JSON, files, and who may."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from rich.console import Console
from sqlalchemy import text

from core.cli import output
from core.ledger import journal_store, postings
from core.money import Money
from core.records import Period, ReconciliationRun
from tests import builders, unrecorded
from tests.builders import Town
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.unrecorded  # the run of reconciliation is written by hand
TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture(autouse=True)
def days() -> None:
    """Midnight may have passed since the file was read."""
    today = datetime.now(UTC).date()
    globals().update(TODAY=today, YESTERDAY=today - timedelta(days=1))


@pytest.fixture
def books(town: Town) -> Town:
    """An opening balance of yesterday, and a statement that was reconciled until now."""
    noon = datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, 12, tzinfo=UTC)
    opening = postings.opening_balance(key="o", account="bank", amount=Money(125_000, "USD"), cause={})

    def write(session) -> None:  # type: ignore[no-untyped-def]
        unrecorded.admit(session)
        now = datetime.now(UTC)
        run = ReconciliationRun(until=now, started_at=now, finished_at=now, status="CLEAN")
        run.in_suspense = run.unmatched = 0
        session.add(run)
        journal_store.post(session, opening, now=noon)

    town.database.run(write)
    return town


def test_a_day_is_closed_once_and_what_is_missing_is_named(terminal: Terminal, books: Town) -> None:
    terminal.run("close", "day", TODAY).refuses("is not over yet", "that reaches its end can be run when")
    refused = terminal.run("close", "day", TODAY, "--json")
    refused.refuses("is not over yet")
    assert (refused.json["code"], refused.json["facts"]["period"] in refused.json["detail"]) == (
        "period_not_ready",
        True,
    )
    done = terminal.run("close", "day", YESTERDAY, "--as", books.staff["fay"], "--json").well().json
    assert (done["first"], done["last"]) == (YESTERDAY.isoformat(), YESTERDAY.isoformat())
    row = books.read(lambda s: s.get_one(Period, done["period"]))
    assert row.closed_by == books.staff["fay"]
    terminal.run("close", "day", YESTERDAY).refuses("is closed already")
    terminal.run("close", "week", YESTERDAY).refuses("day, month or year")
    terminal.run("close", "day", "30.11.2026").refuses("is no day")
    terminal.run("close", "day", YESTERDAY, "--as", books.staff["mia"]).refuses("You may not close a period")
    listed = terminal.run("period", "list", "--json").well().json
    assert listed["open_from"] == TODAY.isoformat()
    assert "Open from" in terminal.run("period", "list").well().out


def test_two_people_reopen_it_with_the_same_command(terminal: Terminal, books: Town) -> None:
    terminal.run("close", "day", YESTERDAY).well()
    command = ("reopen", "day", YESTERDAY, "--reason", "A fee was missing.")
    terminal.run(*command).refuses("You may not")  # an account of the machine is nobody of the staff
    assert not terminal.run(*command, "--as", books.staff["fay"], "--json").well().json["reopened"]
    terminal.run(*command, "--as", books.staff["fay"]).refuses(
        f"proposed to reopen {YESTERDAY:%-d %b %Y} (",
        "That has to be confirmed, rejected or withdrawn first.",
    )
    without = terminal.environment["DATABASE_URL"]
    terminal.run(*command, "--as", books.staff["cora"], DATABASE_OWNER_URL=without).refuses(
        "DATABASE_OWNER_URL", "the page Periods"
    )
    assert "Reopened" in terminal.run(*command, "--as", books.staff["cora"]).well().out
    terminal.run(*command, "--as", books.staff["fay"]).refuses("is not closed")
    assert terminal.run("period", "list", "--json").well().json["periods"][0]["status"] == "REOPENED"


def test_a_report_is_printed_told_as_json_and_written(
    terminal: Terminal, books: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "$1,250.00" in terminal.run("report", "balance-sheet", "--at", TODAY).well().out
    narrow = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(output, "console", Console(width=40, file=narrow))
        terminal.run("report", "trial-balance", "--from", YESTERDAY, "--at", TODAY).well()
    assert narrow.getvalue().count("$1,250.00") >= 2, "no amount is cut to fit the terminal"
    (sheet,) = terminal.run("report", "trial-balance", "--json").well().json["reports"]
    assert {row["name"]: row["amounts"] for row in sheet["rows"] if row["name"]} == {
        "bank": [{"minor": 125_000, "currency": "USD"}, None],
        "opening_balances": [None, {"minor": 125_000, "currency": "USD"}],
    }
    assert (
        "Nothing was posted" in terminal.run("report", "balance-sheet", "--at", date(2020, 1, 1)).well().out
    )
    starts = {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "pdf": b"%PDF"}
    for format, start in starts.items():
        out = tmp_path / f"r.{format}"
        terminal.run("report", "balance-sheet", "--from", YESTERDAY, "--format", format, "--out", out).well()
        assert out.read_bytes().startswith(start)
        assert "nothing in it was changed" in terminal.run("verify", out).well().out
        terminal.run("report", "balance-sheet", "--format", format, "--out", out).refuses("exists already")
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "r.xlsx").read_bytes()))
    assert 1250 in [row[2] for row in book.worksheets[0].iter_rows(values_only=True)]
    terminal.run("report", "cash-flow").refuses("trial-balance, balance-sheet or income")
    terminal.run("report", "income", "--format", "pdf").refuses("--out")
    terminal.run("report", "income", "--from", "2026-05-01", "--at", "2026-04-01").refuses("cannot end on")
    terminal.run("report", "income", "--as", books.staff["mia"]).refuses("You may not read the ledger")


def test_a_statement_of_a_party_is_printed_and_written(
    terminal: Terminal, town: Town, tmp_path: Path
) -> None:
    builders.funded(town)
    month = f"{town.now:%Y-%m}"
    (found,) = (
        terminal.run("statement-of", town.payer_id, "--month", month, "--json").well().json["statements"]
    )
    assert (found["opening"]["minor"], found["closing"]) == (0, found["movements"][-1]["balance"])
    assert "Closing balance" in terminal.run("statement-of", town.payer_id, "--month", month).well().out
    assert "Nothing moved" in terminal.run("statement-of", town.payer_id, "--month", "2020-01").well().out
    for format, start in {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "pdf": b"%PDF"}.items():
        out = tmp_path / f"s.{format}"
        command = ("statement-of", town.payer_id, "--month", month, "--format", format, "--out", out)
        terminal.run(*command).well()
        assert out.read_bytes().startswith(start)
    terminal.run("statement-of", "nobody", "--month", month).refuses("nobody")
    (year,) = terminal.run("statement-of", town.payer_id, "--year", 2026, "--json").well().json["statements"]
    (whole,) = (
        terminal.run("statement-of", "home_services", "--year", 2026, "--json").well().json["statements"]
    )
    assert 0 < len(year["months"]) == len(whole["months"]) <= 12
    assert year["totals"]["paid_in"] == whole["totals"]["paid_in"]
    assert year["totals"]["paid_in"]["minor"] > 0
    assert "Year 2026" in terminal.run("statement-of", "home_services", "--year", 2026).well().out
    of_marketplace = ("statement-of", "home_services", "--year", 2026, "--format", "csv")
    terminal.run(*of_marketplace, "--out", tmp_path / "whole.csv").well()
    exported = text(
        "select object_id from audit_entries where object_kind = 'export' order by id desc limit 1"
    )
    name = town.read(lambda session: str(session.scalar(exported)))
    assert name.startswith("statement-of_marketplace-home-services_year-2026_"), "a marketplace is no party"
    terminal.run("statement-of", "home_services", "--month", month).refuses("--month or --year")
    terminal.run("statement-of", town.payer_id).refuses("--month or --year")
    terminal.run("statement-of", 1, "--month", "March").refuses("is no day")
    terminal.run("statement-of", 1, "--month", month, "--as", town.staff["mia"]).refuses(
        "You may not read the ledger"
    )


def test_what_is_no_summary_is_refused_in_words(terminal: Terminal, tmp_path: Path) -> None:
    for content, why in ((b"%PDF-1.4", "it is no JSON"), (b"[]", "it names no first and last day")):
        (tmp_path / "summary.json").write_bytes(content)
        terminal.run("period", "verify", tmp_path / "summary.json").refuses(why)
    terminal.run("period", "verify", tmp_path / "none.json").refuses("no such file")


def test_who_may_not_reopen_is_told_nothing_of_the_period(terminal: Terminal, books: Town) -> None:
    command = ("reopen", "day", YESTERDAY, "--reason", "A fee was missing.", "--as", books.staff["mia"])
    terminal.run(*command).refuses("You may not")  # it is open, which is not said
