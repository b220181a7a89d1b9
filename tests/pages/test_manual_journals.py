"""A manual journal on screen: a preview that balances, two people, and a reversal that is linked both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.actions.periods import manual_journals
from core.db import Database
from core.ledger.journals import Posting
from core.money import Money
from core.records import ManualJournal
from core.rules.permissions import TABLE, Permission
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def proposed(town: Town) -> int:
    lines = [Posting("bank_charges", Money(500, "USD")), Posting("bank", Money(-500, "USD"))]
    words = {"memo": "Account fee", "reason": "On the statement ![x](http://evil.example)."}
    day = town.now.date()
    return town.act(manual_journals.propose, town.as_staff("fay"), lines=lines, posted_on=day, **words).id  # type: ignore[arg-type]


@pytest.mark.parametrize("subject", PEOPLE)
def test_each_role_sees_what_it_may_do(town: Town, subject: str) -> None:
    proposed(town)
    app = visit(town, subject, "manual_journals")
    held, keys = town.roles[subject], {each.key for each in app.button}
    assert ("Account fee" in words(app)) is bool(held & TABLE[Permission.READ_LEDGER])
    assert ("mj-propose" in keys) is bool(held & TABLE[Permission.PROPOSE_JOURNAL])
    second = subject != "fay" and bool(held & TABLE[Permission.CONFIRM_JOURNAL])
    assert ("manual-journal-1-confirm" in keys) is second


def test_the_day_of_a_new_journal_is_the_desks_and_not_that_of_the_servers_clock(town: Town) -> None:
    town.wait(days=4_000)
    assert visit(town, "fay", "manual_journals").date_input(key="mj-day").value == town.now.date()


def test_a_journal_is_proposed_previewed_approved_and_reversed(town: Town) -> None:
    app = visit(town, "fay", "manual_journals")
    assert app.button(key="mj-propose").disabled
    for number, (account, amount) in enumerate((("bank_charges", "12.50"), ("bank", "12.00"))):
        app.selectbox(key=f"mj-account-{number}").set_value(account).run()
        app.text_input(key=f"mj-amount-{number}").set_value(amount).run()
    assert "do not cancel out" in words(app)
    assert app.button(key="mj-propose").disabled
    app.text_input(key="mj-amount-1").set_value("12.50").run()
    app.text_input(key="mj-memo").set_value("Account fee of March").run()
    app.text_input(key="mj-reason").set_value("On the statement.").run()
    app.button(key="mj-propose").click().run()
    assert "Submitted." in words(app)
    other = visit(town, "cora", "manual_journals")
    other.text_input(key="manual-journal-1-reason").set_value("Seen on the statement.").run()
    other.button(key="manual-journal-1-confirm").click().run()
    assert town.read(lambda s: s.get_one(ManualJournal, 1).status) == "POSTED"
    again = visit(town, "fay", "manual_journals", id=1)
    again.text_input(key="reverse-reason-1").set_value("Posted twice.").run()
    again.button(key="reverse-1-propose").click().run()
    assert "Reversal of MJ-1" in words(visit(town, "ada", "manual_journals"))
    journal = town.read(lambda s: s.get_one(ManualJournal, 1).journal_id)
    assert "Manual journal" in words(visit(town, "fay", "journal", id=journal))
