"""`escrow-desk search`: what it prints, whole and in words, however narrow the terminal is."""

from __future__ import annotations

import pytest
from rich.console import Console
from sqlalchemy import text

from core.cli import output
from core.money import Money
from core.records import Milestone
from core.rules import documents
from tests import builders
from tests.builders import Town
from tests.cli.terminal import Terminal


def test_every_document_is_called_what_it_is_and_no_number_is_cut(
    terminal: Terminal, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    numbers = town.read(
        lambda session: list(session.scalars(text("select number from receipts order by id")))
    )
    assert {each[:2] for each in numbers} >= {"HR", "HI"}
    monkeypatch.setattr(output, "console", Console(width=40))
    for number in numbers:
        said = terminal.run("search", number, "--as", town.staff["fay"]).well().out
        assert number in said
        assert documents.title_of(number) in said
    assert [documents.title_of(f"{each}-2026-000017") for each in ("HR", "LI", "HC", "C")] == [
        "Receipt", "Invoice", "Credit note", "Credit note",
    ]  # fmt: skip


def test_a_status_is_said_in_words(terminal: Terminal, town: Town) -> None:
    builders.in_mediation(town)
    said = terminal.run("search", "D-1", "--as", town.staff["mia"]).well().out
    assert "_" not in said
    assert "Under review" in said


def test_a_row_that_shows_another_amount_says_which_of_its_amounts_was_found(
    terminal: Terminal, town: Town
) -> None:
    told = builders.funded(town)
    charged = town.read(
        lambda session: session.scalar(
            text("select charge_minor from payment_orders where milestone_id = :id"), {"id": told.milestone}
        )
    )
    asked = Money(charged, "USD")
    said = terminal.run("search", asked.text(), "--as", town.staff["fay"]).well().out
    assert f"{asked} charged" in said
    amount = town.read(lambda session: session.get_one(Milestone, told.milestone).amount_minor)
    assert "charged" not in terminal.run("search", Money(amount, "USD").text(), "--as", town.staff["fay"]).out
