"""Blind mode in a real browser: no name of a party is anywhere in the document until a first judgement is saved."""

from __future__ import annotations

import re

import pytest

from tests.journeys.desk import Demo, Person
from tests.journeys.marketplace import Dispute, Marketplace

PAYER, PAYEE = "Perpetua Ashgrove", "Quillfeather Joinery"
NAMES = ("perpetua", "ashgrove", "quillfeather")
TABS = ("Evidence", "Timeline", "Messages", "Terms", "Money", "Parties", "E-mails")
REASONS = "The shelves were delivered and fitted; the doors are missing, as both parties wrote."


@pytest.fixture
def case(market: Marketplace) -> Dispute:
    return market.in_mediation(
        "Shelves for Perpetua Ashgrove",
        80_000,
        payer=PAYER,
        payee=PAYEE,
        scope="Shelves and doors for the Ashgrove house.",
        deliverable="Shelves fitted; doors hung",
    )


@pytest.fixture
def mediator(person: Person) -> Person:
    person.sign_in("Maya Lindqvist", arriving="Cases")
    return person


def named(person: Person) -> list[str]:
    """Names in the document as the browser has it: text, attributes, titles and all."""
    document = person.page.content().lower()
    return [name for name in NAMES if re.search(rf"(?<![a-z]){name}(?![a-z])", document)]


def want(person: Person) -> None:
    person.page.get_by_test_id("stCheckbox").filter(has_text="Hide names in cases").locator(
        "label"
    ).first.click()
    person.settle()


def test_no_name_is_in_the_document_until_a_first_judgement(
    demo: Demo, mediator: Person, case: Dispute
) -> None:
    mediator.open_case(case.number)
    assert named(mediator) == list(NAMES)
    want(mediator)
    mediator.told("Names are hidden")
    for tab in TABS:
        mediator.tab(tab)
        assert named(mediator) == []
    panel = mediator.panel()
    mediator.choose("Partial release", inside=panel)
    mediator.choose("Items of work", inside=panel)
    mediator.choose("Done", inside=panel)
    assert named(mediator) == []
    mediator.choose("%", inside=panel)
    mediator.write(re.compile("^Release to The contractor"), "60", inside=panel)
    panel.get_by_role("combobox", name="Ground").click()
    mediator.page.get_by_role("option", name="Partial work").click()
    mediator.settle()
    mediator.write("Reasons", REASONS, inside=panel)
    mediator.press("Save draft and show names")
    mediator.told("Your first judgement is kept")
    assert named(mediator) == list(NAMES)
    want(mediator)
    assert mediator.troubles == []
