"""Every way down: the address says what is shown, Back comes back to the list, Forward goes down again.

One session goes through all of them, because what one page leaves behind is what the next one stumbles over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Locator, expect

from core.actions.decisions import confirmation
from core.db import Database
from core.rules.cautions import Caution
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.permissions import Actor, Role
from tests import builders
from tests.journeys.desk import PATIENCE, Demo, Person, a_person
from tests.journeys.marketplace import Marketplace

ADMINISTRATOR = "Grace Okonjo"
OPEN = 16  # across, to the first cell: a mark where rows can be chosen, else what opens the row
SECOND = 60  # past the mark
HEADER, ROW = 36, 34


@dataclass(frozen=True)
class Way:
    """From a list, by a click into row `row` of a grid, to an address."""

    start: str
    title: str
    to: str
    grid: int = 0
    across: int = OPEN
    row: int = 0
    beside: bool = False  # what was clicked opens next to the list


WAYS = {
    "line of the trial balance": Way(
        "/trial_balance", "Trial balance", r"/trial_balance\?line=\w+$", beside=True
    ),
    "journal": Way("/journals", "Journals", r"/journal\?id=\d+$"),
    "latest journal": Way("/overview", "Overview", r"/journal\?id=\d+$", grid=-1),
    "held longest": Way("/overview", "Overview", r"/project\?id=\d+$", grid=-2),
    "payout": Way("/payouts", "Payouts", r"/payouts\?id=\d+$"),
    "call": Way("/operations", "Operations", r"/operations\?id=\d+$"),
    "run": Way("/reconciliation", "Reconciliation", r"/reconciliation\?id=\d+$", grid=-2),
    "chargeback": Way("/chargebacks", "Chargebacks", r"/chargebacks\?id=\d+$"),
    "project": Way("/projects", "Projects", r"/project\?id=\d+$", across=SECOND),
    "hold": Way("/holds", "Holds", r"/holds\?id=\d+$", beside=True),
    "person": Way("/people", "People", r"/people\?id=\d+$", row=2, beside=True),
    "decision to approve": Way("/approvals", "Approvals", r"/approvals\?id=\d+$", beside=True),
    "entry of the audit log": Way("/audit", "Audit log", r"/audit\?entry=\d+$", row=1, beside=True),
}


@pytest.fixture(scope="module")
def to_approve(demo: Demo, market: Marketplace) -> None:
    """A decision waits for its second person; the demo's own may all be approved."""
    case = market.in_mediation(
        "Terrace behind the mill",
        120_000,
        payer="Wilma Ostrander",
        payee="Teal Terraces",
        scope="A terrace of slate, laid and grouted.",
        deliverable="Terrace laid, level and grouted",
    )
    told = builders.Told(case.project, case.milestone, case.number)
    database, now = Database(demo.settings.database_url, pool_size=1), datetime.now(UTC)
    mediator = demo.one("select id from staff where name = 'Aiko Tanabe'")
    actor = Actor("staff", mediator, frozenset({Role.MEDIATOR}), authenticated_at=now)
    ground = Ground.OUTCOME_DISSATISFACTION  # against the rule, so a second person is asked
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=ground, override=True)
    plan, _ = database.run(lambda session: confirmation.preview(session, actor, now=now, draft=draft))
    given = {"plan_hash": plan.hash, "intent": f"journey-{case.number}", "known": tuple(Caution)}
    database.run(lambda session: confirmation.confirm(session, actor, now=now, draft=draft, **given))
    database.dispose()


@pytest.fixture(scope="module")
def administrator(demo: Demo, browser: Browser, to_approve: None) -> Iterator[Person]:
    with a_person(demo, browser) as someone:
        someone.page.goto(demo.url)
        someone.page.get_by_role("button", name=ADMINISTRATOR).click()
        expect(someone.page.get_by_role("heading", level=1).first).to_be_visible(timeout=PATIENCE)
        someone.settle()
        yield someone


def press_row(person: Person, way: Way) -> None:
    grid = person.page.get_by_test_id("stDataFrame").nth(way.grid)
    grid.scroll_into_view_if_needed()
    person.settle()
    box = grid.bounding_box()
    assert box
    person.page.mouse.click(box["x"] + way.across, box["y"] + HEADER + ROW * way.row + ROW / 2)


def heading(person: Person) -> str:
    return person.page.get_by_role("heading", level=1).first.inner_text()


def at(person: Person, address: str | re.Pattern[str]) -> str:
    """Wait until the address is that, and the page stands still."""
    wanted = address if isinstance(address, re.Pattern) else re.compile(f"{re.escape(address)}$")
    expect(person.page).to_have_url(wanted, timeout=PATIENCE)
    person.settle()
    expect(person.page).to_have_url(wanted, timeout=PATIENCE)
    return person.page.url.removeprefix(person.demo.url)


def shows(person: Person, address: str, title: str) -> None:
    expect(person.page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=PATIENCE)
    at(person, address)
    assert heading(person) == title


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_down_back_and_forward(administrator: Person, way: Way) -> None:
    person = administrator
    person.page.goto(person.demo.url + way.start)
    person.arrive(way.title)
    above = heading(person)

    press_row(person, way)
    below = at(person, re.compile(way.to))
    title, shown = heading(person), person.main()
    assert (title == above) is way.beside

    person.page.go_back()
    shows(person, way.start, above)
    person.page.go_forward()
    shows(person, below, title)
    if way.beside:  # what was chosen is chosen again, and a reload shows the same
        assert person.main().splitlines()[-1] == shown.splitlines()[-1]
        person.page.reload()
        shows(person, below, title)


def test_from_the_trial_balance_to_a_journal_and_all_the_way_back(administrator: Person) -> None:
    person = administrator
    person.page.goto(f"{person.demo.url}/trial_balance?line=held")
    person.arrive("Trial balance")
    views = [("/trial_balance?line=held", heading(person))]
    for way in (
        Way("", "", r"/account\?code=[\w%:]+&iso=USD$", grid=-1),
        Way("", "", r"/journal\?id=\d+$"),
        Way("", "", r"/account\?code=[\w%:]+(&iso=USD)?$"),
    ):
        press_row(person, way)
        views.append((at(person, re.compile(way.to)), heading(person)))
    for address, title in reversed(views[:-1]):
        person.page.go_back()
        shows(person, address, title)
    for address, title in views[1:]:
        person.page.go_forward()
        shows(person, address, title)


def test_a_case_and_its_tabs(administrator: Person) -> None:
    person = administrator
    person.page.goto(f"{person.demo.url}/disputes")
    person.arrive("Cases")
    above = heading(person)
    person.queue().get_by_role("button", name=re.compile("^Open D-")).first.click()
    below = at(person, re.compile(r"/case\?id=\d+$"))
    title = heading(person)
    person.tab("Money")
    money = at(person, f"{below}&tab=Money")
    person.tab("Terms")
    terms = at(person, f"{below}&tab=Terms")
    for address, tab in ((money, "Money"), (below, "Evidence")):  # a tab is a step of its own
        person.page.go_back()
        shows(person, address, title)
        expect(selected(person)).to_have_text(re.compile(f"^{tab}"), timeout=PATIENCE)
    person.page.go_back()
    shows(person, "/disputes", above)
    for address, tab in ((below, "Evidence"), (money, "Money"), (terms, "Terms")):
        person.page.go_forward()
        shows(person, address, title)
        expect(selected(person)).to_have_text(re.compile(f"^{tab}"), timeout=PATIENCE)


TABS = {"/payouts": "Stopped money", "/operations": "E-mails", "/audit": "Seals"}


@pytest.mark.parametrize("address", TABS)
def test_a_tab_of_a_list_is_a_step_that_back_takes_again(administrator: Person, address: str) -> None:
    person = administrator
    person.page.goto(person.demo.url + address)
    person.settle()
    first = selected(person).inner_text()
    person.tab(TABS[address])
    below = at(person, re.compile(rf"{address}\?[\w-]+={TABS[address].replace(' ', '(?:[+]|%20)')}$"))
    person.page.go_back()
    at(person, address)
    expect(selected(person)).to_have_text(first, timeout=PATIENCE)
    person.page.go_forward()
    at(person, below)
    expect(selected(person)).to_have_text(TABS[address], timeout=PATIENCE)


def selected(person: Person) -> Locator:
    return person.page.locator('[role="tab"][aria-selected="true"]').first
