"""The month's end: a month is reopened by two, its days and it are closed again and signed, and a late line says so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from core.audit import period_summary
from core.db import Database
from core.ledger import journal_store
from core.ledger.journals import Journal, credit, debit
from core.money import Money
from tests.journeys.desk import PATIENCE, Demo, Person

MONTH = (
    "select id, first_day, last_day from periods where kind = 'MONTH' and status = 'CLOSED'"
    " order by last_day desc limit 1"
)
CLOSED = "select id, summary from periods where kind = :kind and first_day = :day and status = 'CLOSED'"
WHY = "Why it is closed all the same; it is signed with the rest"


def close(person: Person, words: str) -> None:
    """What is open in suspense, or a break, is explained. The second click of a double click that closed the
    day before does nothing to this one."""
    why = person.page.get_by_role("textbox", name=WHY)
    if why.count():
        person.write(WHY, "Known, and asked about.")
    button = person.page.get_by_role("button", name=f"Close {words}")
    button.dispatch_event("click", {"detail": 2})
    person.settle()
    expect(button).to_be_enabled()
    person.press(f"Close {words}")
    person.told(f"{words} is closed, and its summary is signed.")


def comes_late(demo: Demo, day: date) -> int:
    """A bank charge of a day that is closed, as a process books it that hears of it now."""
    five = Money(500, "USD")
    journal = Journal(
        "journey.late", "processor_fee", (debit("bank_charges", five), credit("bank", five)), memo="A charge"
    )
    happened = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
    now = demo.one("select max(recorded_at) from journals")
    database = Database(demo.settings.database_url, pool_size=1)
    try:
        return database.run(lambda s: journal_store.post(s, journal, now=now, happened_at=happened))
    finally:
        database.dispose()


def test_a_month_is_reopened_by_two_closed_day_by_day_signed_and_late_lines_say_so(
    demo: Demo, person: Person, colleague: Person, tmp_path: Path
) -> None:
    month = demo.one(MONTH)
    first, last = month["first_day"], month["last_day"]
    person.sign_in("Colm Brennan", arriving="Overview")
    person.page.goto(f"{demo.url}/periods?id={month['id']}")
    person.arrive("Periods")
    person.page.get_by_text("Reopen it", exact=True).click()
    person.write("Why it has to be reopened", "A fee was missing.")
    person.press("Request reopening")
    person.told("It is reopened when someone else approves it.")

    colleague.sign_in("Ines Carvalho", arriving="Audit log")
    colleague.page.goto(f"{demo.url}/periods")
    colleague.arrive("Periods")
    expect(colleague.page.get_by_text("A fee was missing.").first).to_be_visible(timeout=PATIENCE)
    colleague.press("Approve and reopen")
    colleague.told(f"{first:%B %Y} is open again, with what was closed after it.")

    person.page.goto(f"{demo.url}/periods?kind=DAY")
    person.arrive("Periods")
    for day in (first, first + timedelta(days=1)):
        close(person, f"{day:%-d %b %Y}")
    person.page.goto(f"{demo.url}/periods?kind=MONTH")
    person.arrive("Periods")
    close(person, f"{first:%B %Y}")

    signed = demo.one(CLOSED, kind="MONTH", day=first)
    assert signed["id"] > month["id"]
    assert period_summary.signer_of(signed["summary"]) is not None
    person.page.goto(f"{demo.url}/periods?id={signed['id']}")
    person.arrive("Periods")
    offered = person.page.get_by_role("button", name="Summary, JSON").or_(
        person.page.get_by_role("link", name="Summary, JSON")
    )
    with person.page.expect_download() as download:
        offered.first.click()
    download.value.save_as(tmp_path / "summary.json")
    assert json.loads((tmp_path / "summary.json").read_text()) == signed["summary"]

    number = comes_late(demo, last)
    person.page.goto(f"{demo.url}/journal?id={number}")
    person.settle()
    person.reads(f"For {last:%-d %b %Y}, which was closed")
    posted = demo.one("select posted_at from journals where id = :id", id=number)
    assert posted.astimezone(UTC).date() == last + timedelta(days=1)
