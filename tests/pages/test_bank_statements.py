"""The page of bank statements: for each role, from a chosen file over its preview to the import, and down to a line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.actions.bank_statements import accounts, imports, mappings
from core.db import Database
from core.demo import bank_files
from core.demo.bank_files import DemoLine, DemoStatement
from core.money import Money
from dashboard import request_context
from tests import builders
from tests.builders import Town
from tests.pages.downloading import fetch, offered
from tests.pages.visiting import labels, serve, visit, words, work

IBAN = "NL26VAYB8060476890"


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def register(town: Town) -> None:
    named = {"code": "main", "name": "Main account", "currency": "EUR", "identifier": IBAN}
    town.act(accounts.register, town.as_staff("fay"), **named)


def sheet(first: int, last: int, opening: int, *entries: tuple[int, int, str]) -> bytes:
    return bank_files.camt053(stated(first, last, opening, *entries))


def stated(first: int, last: int, opening: int, *entries: tuple[int, int, str]) -> DemoStatement:
    told = [
        DemoLine(date(2026, 2, day), Money(minor, "EUR"), "R1", "Stripe", said)
        for day, minor, said in entries
    ]
    days = date(2026, 2, first), date(2026, 2, last)
    return DemoStatement(IBAN, f"S{first}", Money(opening, "EUR"), *days, told)


def bring(town: Town, content: bytes, **also: Any) -> Any:
    store = request_context.desk().evidence
    return town.act(
        imports.take, town.as_staff("fay"), code="main", file="feb.xml", content=content, store=store, **also
    )


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader[0].set_value((name, content, "text/plain")).run()
    return press(app, "Preview")


def ended(app: AppTest, key: str) -> None:
    """What was begun beside the page has ended, and the page has said so: it may have, in the run that began it."""
    try:
        found = work(app, key)
    except KeyError:
        return
    found.wait(20)
    app.run()


def press(app: AppTest, label: str) -> AppTest:
    next(each for each in app.button if each.label == label).click().run()
    return app


def count(town: Town, table: str) -> int:
    return int(town.read(lambda session: session.scalar(text(f"select count(*) from {table}"))) or 0)


def test_a_file_is_looked_at_and_then_imported_once(town: Town) -> None:
    register(town)
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Import"})
    upload(app, "feb.xml", sheet(2, 3, 1000, (2, 500, "Payout"), (3, -200, "Top-up")))
    work(app, "statement-preview").wait(20)
    app.run()
    assert "€10.00" in words(app)
    assert count(town, "bank_statements") == 0
    press(app, "Import 2 lines")
    ended(app, "statement-import")
    assert "feb.xml is imported: 2 lines." in words(app)
    assert count(town, "bank_statement_lines") == 2
    again = visit(town, "fay", "bank_statements", **{"bank-tab": "Import"})
    upload(again, "feb.xml", sheet(2, 3, 1000, (2, 500, "Payout"), (3, -200, "Top-up")))
    work(again, "statement-preview").wait(20)
    again.run()
    assert "There is nothing to do." in words(again)
    assert "Import 0 lines" not in labels(again)


def test_a_file_with_one_byte_more_leads_to_the_statement_that_is_there(town: Town) -> None:
    register(town)
    content = sheet(2, 3, 1000, (2, 500, "Payout"), (3, -200, "Top-up"))
    (there,) = bring(town, content).statements
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Import"})
    upload(app, "feb again.xml", content + b"\n")
    work(app, "statement-preview").wait(20)
    app.run()
    assert f"2 Feb 2026 to 3 Feb 2026 is already imported as statement BS-{there.id}." in words(app)
    assert "There is nothing to do." in words(app)
    assert not any(each.startswith("Import ") for each in labels(app))
    assert count(town, "bank_statements") == count(town, "bank_statement_files") == 1


def test_a_file_with_a_known_and_a_new_statement_says_both(town: Town) -> None:
    register(town)
    old, new = (2, 2, 1000, (2, 500, "Payout")), (3, 3, 1500, (3, -200, "Top-up"))
    bring(town, sheet(*old))
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Import"})
    upload(app, "both.xml", bank_files.camt053(stated(*old), stated(*new)))
    work(app, "statement-preview").wait(20)
    app.run()
    assert "The statement of 2 Feb 2026 is already imported as statement BS-" in words(app)
    press(app, "Import 1 line")
    ended(app, "statement-import")
    assert "both.xml is imported: 1 line." in words(app)
    assert count(town, "bank_statements") == 2


def test_a_file_is_called_as_its_owner_calls_it_and_saved_under_a_name_that_any_system_takes(
    town: Town,
) -> None:
    register(town)
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Import"})
    upload(app, "nul\u202e.xml", sheet(2, 3, 1000, (2, 500, "Payout")))
    work(app, "statement-preview").wait(20)
    app.run()
    press(app, "Import 1 line")
    ended(app, "statement-import")
    assert " nul.xml is imported: 1 line." in f" {words(app)}"
    (number,) = town.read(lambda session: session.scalars(text("select id from bank_statements")).all())
    assert "_nul.xml" in offered(visit(town, "cora", "bank_statements", id=number))


def test_a_file_that_is_refused_says_why_and_leaves_nothing(town: Town) -> None:
    register(town)
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Import"})
    upload(app, "<b>feb.xml", sheet(2, 3, 1000, (2, 500, "Payout")).replace(b"15.00", b"15.05"))
    work(app, "statement-preview").wait(20)
    app.run()
    assert "off by €0.05" in words(app)
    assert not any(each.startswith("Import ") for each in labels(app))
    assert count(town, "bank_statement_files") == 0


def test_what_is_missing_and_what_is_odd_is_said(town: Town) -> None:
    register(town)
    bring(town, sheet(2, 3, 0, (2, 500, "Payout")))
    odd = b":20:S\n:25:NL26VAYB8060476890\n:60F:C260210EUR9,\n:61:2602300210C1,NTRFX\n:86:Fee\n:62F:C260210EUR10,\n-\n"
    done = bring(town, odd)
    app = visit(town, "fay", "bank_statements")
    assert "1 statement is missing between others. Import it" in words(app)
    one = visit(town, "fay", "bank_statements", id=done.statements[0].id)
    assert "A statement before it is missing" in words(one)
    lines = next(
        each.value for each in one.dataframe if "Text" in each.value.columns or "text" in each.value.columns
    )
    assert "30 February 2026 does not exist" in lines.to_string()


def test_the_banks_file_is_taken_as_it_came_and_the_log_says_who(town: Town) -> None:
    register(town)
    content = sheet(2, 3, 0, (2, 500, "Payout"))
    done = bring(town, content)
    app = visit(town, "cora", "bank_statements", id=done.statements[0].id)
    answer = fetch(offered(app)["feb.xml"], str(app.session_state["desk:token"]))
    assert answer.content == content
    last = "select action from audit_entries order by id desc limit 1"
    assert town.read(lambda session: session.scalar(text(last))) == "finance:bank_statement:download"
    assert "feb.xml" not in offered(visit(town, "ada", "bank_statements", id=done.statements[0].id))


@pytest.mark.parametrize(
    ("subject", "sees", "imports_"),
    [("fay", True, True), ("cora", True, False), ("ada", True, False), ("mia", False, False)],
)
def test_who_sees_the_page_and_who_imports(town: Town, subject: str, sees: bool, imports_: bool) -> None:
    register(town)
    app = visit(town, subject, "bank_statements")
    assert ("What the platform's own bank says" in words(app)) is sees
    assert ([each.label for each in app.tabs] == ["Statements", "Import", "Mappings"]) is imports_


def test_an_account_is_registered_on_the_page(town: Town) -> None:
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Import"})
    assert "No bank account yet" in words(app)
    app.selectbox(key="bank-currency").set_value("EUR")
    app.text_input(key="bank-code").set_value("main")
    app.text_input(key="bank-name").set_value("Main account")
    app.text_input(key="bank-identifier").set_value("12")
    press(app, "Register")
    assert "4 to 40 letters and digits" in words(app)
    app.text_input(key="bank-identifier").set_value(IBAN)
    press(app, "Register")
    assert "The bank account in EUR is registered." in words(app)


def test_a_mapping_is_tried_on_a_sample_and_saved(town: Town) -> None:
    register(town)
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Mappings"})
    for field, value in (("name", "bank"), ("booked_on", "Day"), ("amount", "Amount"), ("texts", "Text")):
        app.text_input(key=f"m:new:{field}").set_value(value)
    app.selectbox(key="m:new:sample-in").set_value("EUR")
    app.file_uploader[0].set_value(("s.csv", b"Day,Amount,Text\n2026-02-02,-5.25,Fee\n", "text/csv")).run()
    assert "-€5.25" in words(app)
    press(app, "Save the mapping")
    assert "bank is saved, version 1." in words(app)
    kept = town.read(lambda session: mappings.named(session, "bank").definition)
    assert (kept["booked_on"], kept["texts"]) == ("Day", ["Text"])


def test_the_columns_of_a_sample_are_chosen_and_what_was_typed_before_stays(town: Town) -> None:
    register(town)
    app = visit(town, "fay", "bank_statements", **{"bank-tab": "Mappings"})
    app.text_input(key="m:new:name").set_value("bank")
    app.text_input(key="m:new:amount").set_value("Betrag")
    sample = "\ufeffTag;Betrag;Verwendungszweck\n02.02.2026;-1.005,25;Gebühr\n".encode()
    app.file_uploader[0].set_value(("s.csv", sample, "text/csv")).run()
    assert "one column only" in words(app)
    app.selectbox(key="m:new:delimiter").set_value(";").run()
    assert app.selectbox(key="m:new:amount:of").value == "Betrag"
    assert app.selectbox(key="m:new:booked_on:of").options == ["Tag", "Betrag", "Verwendungszweck"]
    app.selectbox(key="m:new:booked_on:of").set_value("Tag")
    app.selectbox(key="m:new:dates").set_value("%d.%m.%Y")
    app.selectbox(key="m:new:d").set_value(",")
    app.selectbox(key="m:new:g").set_value(".")
    app.multiselect(key="m:new:texts:of").set_value(["Verwendungszweck"])
    app.selectbox(key="m:new:sample-in").set_value("EUR").run()
    assert "-€1,005.25" in words(app)
    press(app, "Save the mapping")
    kept = town.read(lambda session: mappings.named(session, "bank").definition)
    assert (kept["booked_on"], kept["amount"], kept["texts"]) == ("Tag", "Betrag", ["Verwendungszweck"])
