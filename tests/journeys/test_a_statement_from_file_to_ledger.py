"""Finance in the morning: the file of the bank is chosen, looked at and imported, and stands there line by line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from core.demo import bank_files
from core.demo.bank_files import DemoLine, DemoStatement
from core.money import Money
from tests.journeys.desk import Demo, Person

pytestmark = pytest.mark.slow
FINANCE = "Farah Siddiqui"
LAST = """
select s.last_on, s.closing_minor as closing, a.identifier, a.name from bank_statements s
join bank_accounts a on a.id = s.account_id where a.code = 'operating-eur' order by s.last_on desc, s.id desc limit 1
"""


def next_statement(last: dict[str, Any], path: Path) -> Path:
    day = last["last_on"] + timedelta(days=1)
    lines = [
        DemoLine(day, Money(-1_250, "EUR"), "N1", "<b>Nordkontor</b>", "Charge for a transfer"),
        DemoLine(day, Money(-1_250, "EUR"), "N1", "<b>Nordkontor</b>", "Charge for a transfer"),
    ]
    sheet = DemoStatement(last["identifier"], "Next", Money(last["closing"], "EUR"), day, day, lines)
    path.write_bytes(bank_files.camt053(sheet))
    return path


def test_a_statement_is_looked_at_imported_and_read(demo: Demo, person: Person, tmp_path: Path) -> None:
    last = demo.one(LAST)
    file = next_statement(last, tmp_path / "next.xml")
    broken = tmp_path / "broken.xml"
    broken.write_bytes(file.read_bytes().replace(b"12.50", b"$12.50", 1))
    person.sign_in(FINANCE, arriving="Overview")
    person.go("Bank statements")
    person.tab("Import")
    person.pick("Account", f"{last['name']} (EUR)")
    person.page.locator("input[type=file]").set_input_files(broken)
    expect(person.page.get_by_text("broken.xml").first).to_be_visible()
    person.press("Preview")
    person.told("“$12.50” is not an amount")
    person.page.locator("input[type=file]").set_input_files(file)
    # What was said of the other file goes when this one has arrived.
    expect(person.page.get_by_text("“$12.50” is not an amount")).to_have_count(0)
    person.settle()
    person.press("Preview")
    person.reads("nothing is imported yet")
    person.picture("finance-statement-preview")
    person.press("Import 2 lines")
    person.told("next.xml is imported: 2 lines.")
    kept = demo.one(LAST)
    assert kept["closing"] == last["closing"] - 2_500
    number = demo.one("select max(id) as id from bank_statements")
    person.page.goto(f"{demo.url}/bank_statements?id={number}")
    person.arrive(f"Bank statement BS-{number}")
    person.reads("next.xml")
    assert person.troubles == []
    assert person.foreign == set()
