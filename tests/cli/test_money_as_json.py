"""An amount in the JSON of a command has one form, that of the API: `{"minor": 104356, "currency": "USD"}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from core.actions.reconciliation import bank_matches
from core.db import Database
from core.money import CURRENCIES, Money
from core.processes import reconciliation
from core.rules.suspense import SettledAs
from tests import builders
from tests.actions.test_bank_matching import stated
from tests.cli.terminal import Terminal

COMMANDS = Path(__file__).resolve().parents[2] / "core" / "cli"
# How each that tells amounts is asked, and names under which it tells them.
TELL: Mapping[str, tuple[list[str], set[str]]] = {
    "bank accounts": (["bank-account", "list"], {"balance"}),
    "bank statements": (["statement", "list"], {"opening", "closing"}),
    "breaks": (["breaks", "list"], {"statement"}),
    "cases": (["case", "list"], {"amount"}),
    "operations": (["operation", "list"], {"amount"}),
    "month": (["statement-of", "{payer}", "--month", "{month}"], {"opening", "closing", "amount", "balance"}),
    "year": (["statement-of", "{payer}", "--year", "{year}"], {"opening", "closing", "paid_in"}),
    "marketplace": (["statement-of", "home_services", "--year", "{year}"], {"opening", "closing", "paid_in"}),
    "search": (["search", "{case}"], {"amount"}),
    "trial balance": (["report", "trial-balance"], {"difference", "amounts"}),
    "balance sheet": (["report", "balance-sheet"], {"difference", "amounts"}),
    "income": (["report", "income"], {"difference", "amounts"}),
}
SYMBOLS = "|".join(re.escape(each.symbol.strip()) for each in CURRENCIES.values())
AS_TEXT = re.compile(rf"-?({SYMBOLS})?\s*[0-9][0-9,]*\.[0-9]{{2,3}}|-?({SYMBOLS})\s*[0-9][0-9,]*")


def facts(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each name with what stands there, as deep as it lies; an amount as one thing."""
    yield name, value
    if isinstance(value, Mapping) and "minor" not in value:
        for each, inner in value.items():
            yield from facts(inner, each)
    elif isinstance(value, list):
        for inner in value:
            yield from facts(inner, name)


def is_amount(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"minor", "currency"} and type(value["minor"]) is int


@pytest.fixture
def books(terminal: Terminal, town: builders.Town, owner: Database) -> dict[str, object]:
    """A case that is mediated, a line of our bank that is in suspense, and requests in review;
    what of these is to be said on the command line."""
    told = builders.in_mediation(town)
    lines = town.database.run(lambda session: stated(session, [(0, 4_711, "Odd"), (0, 1_234, "Other")]))
    fay = town.as_staff("fay")
    explained = {"line_ids": lines[:1], "settled_as": SettledAs.OTHER_INCOME, "reason": "Interest."}
    town.act(bank_matches.explain, fay, **explained)
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update outgoing_operations set status = 'REVIEW'"))
    return {
        "case": f"D-{told.case}", "payer": town.payer_id, "month": f"{town.now:%Y-%m}", "year": town.now.year,
    }  # fmt: skip


@pytest.mark.parametrize("asked", TELL)
def test_an_amount_has_one_form_wherever_a_program_reads_it(
    terminal: Terminal, books: dict[str, object], asked: str
) -> None:
    command, names = TELL[asked]
    said = terminal.run(*(word.format(**books) for word in command), "--json")
    assert said.code in (0, 1), said.err
    found = list(facts(said.json))
    for name in names:
        there = [value for known, value in found if known == name and not isinstance(value, list)]
        assert any(map(is_amount, there)), (name, found)
        assert all(is_amount(each) or each is None for each in there), (name, there)
    texts = [(name, value) for name, value in found if isinstance(value, str)]
    assert [each for each in texts if AS_TEXT.fullmatch(each[1])] == []


def test_a_dry_run_says_amounts_in_the_same_form(
    terminal: Terminal, town: builders.Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SimpleNamespace(id=1, status="CLEAN", lines=1, matched=1, in_suspense=0, unmatched=0)
    match = SimpleNamespace(rule="EXACT", lines=1, postings=1, amount=Money(-4_711, "USD"))
    found = SimpleNamespace(run=run, breaks=[], matches=[match])
    monkeypatch.setattr(reconciliation, "dry_run", lambda *_: found)
    (told,) = terminal.run("reconcile", "--dry-run", "--json").well().json["bank_matches"]
    assert told["amount"] == {"minor": -4_711, "currency": "USD"}


def test_no_command_writes_an_amount_in_a_form_of_its_own() -> None:
    own = re.compile(r"\.minor\b|\.major\(\)|\.as_dict\(\)|\": [a-z.]+\.text\(\)")
    for script in sorted(COMMANDS.glob("*.py")):
        if script.name != "output.py":  # which has the one form
            assert own.findall(script.read_text(encoding="utf-8")) == [], script.name
