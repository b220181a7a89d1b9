"""What comes between: two at once, the wrong role, a session that ends, parties who agree by themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.desk import Demo, Person, until
from tests.journeys.marketplace import Dispute, Marketplace

FIRST, SECOND, FINANCE, COMPLIANCE = "Maya Lindqvist", "Aiko Tanabe", "Farah Siddiqui", "Ines Carvalho"
REASONS = "The drawers were delivered and fitted; the handles are missing, as both parties wrote."
STORY = {
    "scope": "Six drawers with handles, fitted.",
    "deliverable": "Six drawers fitted; handles mounted",
}
RESULT = "select status, release_minor from decisions where case_id = :t"


@pytest.fixture
def case(market: Marketplace, request: pytest.FixtureRequest) -> Dispute:
    """A small one, below every threshold, between two people of its own."""
    number = sum(map(ord, request.node.name)) % 900 + 100
    payer, payee = f"Ottilie Marsh {number}", f"Juniper Joinery {number}"
    return market.in_mediation(f"Drawers {number}", 90_000, payer=payer, payee=payee, **STORY)


def drafted(person: Person, case: Dispute, share: str) -> None:
    """Everything filled in, and the plan on screen."""
    person.open_case(case.number)
    panel = person.panel()
    person.choose("Partial release", inside=panel)
    person.write(re.compile("^Release to"), share, inside=panel)
    person.pick("Ground", "Partial work", inside=panel)
    person.write("Reasons", REASONS, inside=panel)
    for reference in ("Engagement scope", "Message history", "Milestone evidence"):
        person.tick(reference, inside=panel)
    person.press("Preview plan")
    expect(person.dialog()).to_contain_text("Plan hash")


def confirm(person: Person) -> None:
    """Whoever decides a colleague's case says that they know it."""
    said = (
        person.dialog()
        .get_by_test_id("stCheckbox")
        .filter(has_text="I know that this case is someone else's")
    )
    for box in said.all():
        box.locator("label").first.click()
        person.settle()
    person.dialog().get_by_role("button", name="Confirm decision").dblclick()


def test_of_two_mediators_one_decides_and_the_other_is_told_what_changed(
    demo: Demo, person: Person, colleague: Person, case: Dispute
) -> None:
    person.sign_in(FIRST, arriving="Cases")
    colleague.sign_in(SECOND, arriving="Cases")
    drafted(person, case, "600")
    drafted(colleague, case, "300")
    confirm(person)
    person.told("Decided and posted.")
    confirm(colleague)
    alert = colleague.dialog().get_by_role("alert").first
    expect(alert).to_be_visible()
    expect(colleague.dialog()).to_contain_text("Nothing was recorded")
    (row,) = demo.rows(RESULT, t=case.number)
    assert (row["status"], row["release_minor"]) == ("EXECUTED", 60_000)
    colleague.page.reload()
    colleague.arrive(f"D-{case.number}")
    expect(colleague.panel()).to_contain_text(FIRST)
    expect(colleague.page.get_by_role("button", name="Preview plan")).to_have_count(0)


def test_a_link_leads_through_sign_in_to_the_case(demo: Demo, person: Person, case: Dispute) -> None:
    person.page.goto(f"{demo.url}/case?id={case.number}")
    person.page.get_by_role("button", name=FIRST).click()
    person.arrive(f"D-{case.number}")


@pytest.mark.parametrize(
    ("name", "landing", "address", "words"),
    [
        (SECOND, "Cases", "/audit", "This page is not for your role"),
        (SECOND, "Cases", "/trial_balance", "This page is not for your role"),
        (FINANCE, "Overview", "/audit", "This page is not for your role"),
    ],
)
def test_the_wrong_role_is_told_whose_page_it_is(
    demo: Demo, person: Person, name: str, landing: str, address: str, words: str
) -> None:
    person.sign_in(name, arriving=landing)
    person.page.goto(demo.url + address)
    expect(person.page.get_by_text(words)).to_be_visible()
    expect(person.page.get_by_text("You are signed in as")).to_be_visible()
    assert person.page.get_by_test_id("stDataFrame").count() == 0


def test_whoever_may_not_decide_reads_the_case_and_finds_no_form(
    demo: Demo, person: Person, case: Dispute
) -> None:
    person.sign_in(FINANCE, arriving="Overview")
    person.open_case(case.number)
    expect(person.panel()).to_contain_text("Not yours to decide")
    expect(person.page.get_by_role("button", name="Preview plan")).to_have_count(0)
    expect(person.page.get_by_role("button", name="Claim")).to_have_count(0)


def test_a_session_that_ends_in_the_middle_keeps_the_draft(demo: Demo, person: Person, case: Dispute) -> None:
    """Signed out in another tab, in the middle of a sentence: what was typed is there after signing in again."""
    page = person.page
    person.sign_in(FIRST, arriving="Cases")
    person.open_case(case.number)
    person.choose("Full refund", inside=person.panel())
    person.write("Reasons", REASONS, inside=person.panel())

    other = page.context.new_page()
    other.goto(f"{demo.url}/disputes")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_text("Choose who you are today")).to_be_visible()
    other.close()

    person.choose("Full release", inside=person.panel())
    expect(page.get_by_text("You are signed out")).to_be_visible()
    page.goto(f"{demo.url}/case?id={case.number}")
    page.get_by_role("button", name=FIRST).click()
    person.arrive(f"D-{case.number}")
    expect(person.panel().get_by_role("textbox", name="Reasons")).to_have_value(REASONS)
    expect(person.panel().get_by_role("radio", name="Full refund")).to_be_checked()
    assert demo.rows(RESULT, t=case.number) == []


def test_an_offer_that_is_accepted_closes_the_case_without_a_decision(
    demo: Demo, person: Person, market: Marketplace, case: Dispute
) -> None:
    share: dict[str, Any] = {
        "release": {"minor": 70_000, "currency": "USD"},
        "note": "Keep 700, and we are even.",
    }
    offer = market.post(f"/disputes/{case.number}/settlement-proposals", {"party": case.payer, **share})
    person.sign_in(FIRST, arriving="Cases")
    person.open_case(case.number)
    expect(person.panel()).to_contain_text("Settlement proposal")
    expect(person.panel()).to_contain_text("$700.00")
    expect(person.panel()).to_contain_text("Keep 700, and we are even.")
    person.picture("day-15-settlement-proposal")

    market.post(f"/settlement-proposals/{offer['id']}/accept", {"party": case.payee})
    person.page.reload()
    person.arrive(f"D-{case.number}")
    expect(person.panel()).to_contain_text("Agreement")
    expect(person.page.get_by_role("button", name="Preview plan")).to_have_count(0)
    order = "select held_minor, released_minor, refunded_minor from payment_orders where milestone_id = :m"
    until(lambda: demo.one(order, m=case.milestone)["refunded_minor"] >= 20_000)
    assert demo.one(order, m=case.milestone)["held_minor"] == 0
    assert demo.rows(RESULT, t=case.number) == []
    person.picture("day-16-agreement")
