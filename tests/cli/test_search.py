"""`escrow-desk search`: what it prints, whole and in words, however narrow the terminal is."""

from __future__ import annotations

import pytest
from rich.console import Console
from sqlalchemy import text

from core.actions.milestones import verification
from core.cli import output
from core.money import Money
from core.queries.search import SOURCES, STATUS_AXES
from core.records import Milestone
from core.rules import documents
from core.rules.search import Found
from core.rules.status_labels import AXES
from dashboard.ui import status
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


def test_a_status_is_called_as_on_the_page_and_the_machine_reads_both(terminal: Terminal, town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    number = f"M-{told.milestone}"
    hit = terminal.run("search", number, "--as", town.staff["mia"], "--json").well().json["hits"][0]
    called = status.pill("milestone", hit["status"]).label
    assert (hit["status"], hit["status_words"], called) == (
        "PENDING_VERIFICATION", "To be verified", "To be verified",
    )  # fmt: skip
    assert called in terminal.run("search", number, "--as", town.staff["mia"]).well().out


def test_what_is_found_with_a_status_has_the_words_of_its_page() -> None:
    stated = {kind for kind, source in SOURCES.items() if source.status != "null"}
    assert stated == {*STATUS_AXES, Found.JOURNAL}
    assert set(STATUS_AXES.values()) <= set(AXES)


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
