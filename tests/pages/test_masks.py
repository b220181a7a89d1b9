"""No page shows finance, compliance or administrators who somebody is where its work does not need it: every page is
walked and everything on it is read, so that a page that comes later fails here until it masks too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation, evidence
from core.actions.risk import holds, payee_holds, reports
from core.db import Database
from core.money import Money
from core.rules.masking import ALL, MANY, masked_name, sees
from core.rules.permissions import TABLE
from core.rules.reports import ReportKind, Severity
from dashboard import navigation, request_context
from dashboard.case import asof
from dashboard.ui import filters
from tests import builders
from tests.actions.test_receivables import owes
from tests.builders import Town
from tests.pages.downloading import rows_of, taken
from tests.pages.test_chargebacks import charged_back
from tests.pages.test_finance_pages import failed_payout, stripe_says
from tests.pages.visiting import labels, serve, visit, words

WROTE = "Nobody answers at my door, says the neighbour."
CAPTION = "The hole beside my stove"
# Who they are: two names, their addresses and place, the digits of a card and of two bank accounts; and their words.
PERSONAL = re.compile(
    rf"\bAna\b|Lindqvist|\bBen\b|Okafor|party\d+@|Portland|(?<![0-9a-f-])(?:7531|8642)(?![0-9a-f-])|{WROTE}|{CAPTION}"
)
REASON = "The payee asks on the telephone where their money is."


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def lived(town: Town) -> dict[str, Any]:
    """Something of everything that pages show; by page, what its address asks for to open one of it."""
    chargeback = charged_back(town)
    payout = failed_payout(town)
    told = builders.in_mediation(town)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body=WROTE)
    town.act(
        evidence.submit,
        town.payer,
        store=request_context.desk().evidence,
        milestone_id=told.milestone,
        file_name="stove.txt",
        content=b"A hole.",
        caption=CAPTION,
    )
    town.act(
        reports.file,
        town.payer,
        project_id=told.project,
        kind=ReportKind.THREAT,
        severity=Severity.SEVERE,
        details=WROTE,
    )
    placed = town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    owes(town, 1_000, "owed")
    large = builders.in_mediation(town, total=Money(3_000_000, "USD"))
    builders.decided(town, large)
    for each in (told, large):
        body = f"Ben Okafor never came, and Ana waited. {WROTE}"
        town.act(conversation.say, town.payer, milestone_id=each.milestone, body=body)
    town.act(payee_holds.place, town.as_staff("cora"), party_id=town.payee_id, reason="A report.")
    stripe_says(town, "ba_1", "8642")
    stripe_says(town, "ba_2", "7531")
    return {
        "approvals": large.case,
        "case": told.case,
        "decided": large.case,
        "paid": told.case - 1,
        "project": told.project,
        "chargebacks": chargeback.id,
        "payouts": payout,
        "holds": placed.id,
        "journal": 1,
        "entry": 1,
        "t_accounts": told.milestone,
        "party_statement": town.payee_id,
        "personal_data": town.payer_id,
        "people": town.staff["mia"],
        "account": None,
    }


def everything(app: AppTest) -> str:
    """Every element that was drawn, as it went to the browser, with all that is in it."""
    return " ".join(_elements(app._tree))


def _elements(node: Any) -> Iterator[str]:
    proto = getattr(node, "proto", None)
    if proto is not None:
        yield str(proto)
    for child in getattr(node, "children", {}).values():
        yield from _elements(child)


def found(app: AppTest) -> set[str]:
    return set(PERSONAL.findall(everything(app)))


@pytest.fixture
def tabs(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """By its name in the address, the tabs that the last page had: only the open one is drawn."""
    met: dict[str, list[str]] = {}
    real = filters.tabs

    def noted(names: Any, *, key: str, **other: Any) -> Any:
        met[key] = list(names)
        return real(names, key=key, **other)

    monkeypatch.setattr(filters, "tabs", noted)
    return met


def ways(
    town: Town, subject: str, tabs: dict[str, list[str]], page: str, objects: Sequence[int]
) -> Iterator[Any]:
    """The page, one object on it, and each of their tabs: (what the address asks for, the page)."""
    for asked in ({}, *({"id": number} for number in objects)):
        tabs.clear()
        yield asked, visit(town, subject, page, **asked)
        for key, names in dict(tabs).items():
            for name in names[1:]:
                yield {**asked, key: name}, visit(town, subject, page, **{**asked, key: name})


def of_page(numbers: dict[str, Any], page: str) -> list[int]:
    """A case before a decision, one that waits for a second person, and one that is paid; of other pages one."""
    names = ("case", "decided", "paid") if page == "case" else (page,)
    return [numbers[name] for name in names if numbers.get(name)]


@pytest.mark.parametrize("subject", ["fay", "cora", "ada"])
def test_no_page_says_who_somebody_is(town: Town, tabs: dict[str, list[str]], subject: str) -> None:
    numbers, roles, wrong, walked = lived(town), town.roles[subject], {}, set()
    for entry in navigation.ENTRIES:
        if not roles & TABLE[entry.permission]:
            continue
        if entry.name != "case" and sees(roles, entry.name) == ALL:
            continue
        for asked, app in ways(town, subject, tabs, entry.name, of_page(numbers, entry.name)):
            walked.add(entry.name)
            said = found(app)
            # The bank is told who the payer is, and a payee is asked whether a bank account is theirs.
            if entry.name in ("chargebacks", "bank_changes") and "id" in asked:
                said = set()
            if entry.name in (
                "case",
                "approvals",
            ):  # what both wrote, under the names of their roles, or as it is
                said -= {WROTE, CAPTION} if subject == "fay" else said
            if (subject, entry.name) == ("cora", "holds"):  # a report is judged by its words
                said -= {WROTE}
            if (subject, entry.name) == ("ada", "people"):  # a tie is between two names
                said = set()
            if said:
                wrong[f"{entry.name} {asked}"] = said
    assert wrong == {}
    assert len(walked) > 20


def test_whoever_mediates_sees_people_as_they_are(town: Town) -> None:
    numbers = lived(town)
    for page in ("disputes", "projects", "project", "case"):
        asked = {"id": numbers[page]} if page in numbers else {}
        app = visit(town, "mia", page, **asked)
        assert "Lindqvist" in everything(app), page
        assert "Reveal names" not in labels(app)


def reveal(app: AppTest, *, reason: str = REASON) -> AppTest:
    """Opens the drawer, and presses with everybody on the page chosen."""
    app.button(key="reveal-open").click().run()
    app.multiselect(key="reveal-whom").set_value(app.multiselect(key="reveal-whom").options).run()
    app.text_area(key="reveal-reason").set_value(reason).run()
    app.button(key="reveal").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("subject", "page"),
    [
        ("fay", "payouts"),
        ("fay", "chargebacks"),
        ("fay", "receivables"),
        ("fay", "bank_changes"),
        ("fay", "held_funds"),
        ("fay", "documents"),
        ("fay", "projects"),
        ("cora", "projects"),
        ("cora", "personal_data"),
        ("cora", "payouts"),
        ("ada", "payouts"),
        ("ada", "personal_data"),
    ],
)
def test_a_list_shows_masks_and_whom_one_reveals(town: Town, subject: str, page: str) -> None:
    lived(town)
    app = visit(town, subject, page)
    masks = {masked_name("Ana Lindqvist", town.payer_id), masked_name("Ben Okafor", town.payee_id)}
    shown = {mask for mask in masks if mask in drawn(app)}
    assert shown
    assert found(app) == set()
    reveal(app)
    assert "Shown to you until" in words(app)
    named = drawn(app)
    for mask, name in zip(sorted(masks), ("Ana Lindqvist", "Ben Okafor"), strict=True):
        assert (name in named) == (mask in shown)
    assert found(visit(town, subject, page)) == set()  # another session
    town.wait(minutes=15)
    app.run()
    assert found(app) == set()


def drawn(app: AppTest) -> str:
    """What stands in tables and words, as a person reads it."""
    return words(app) + " ".join(each.value.to_csv() for each in app.dataframe)


def test_without_a_reason_nobody_is_revealed(town: Town) -> None:
    lived(town)
    app = reveal(visit(town, "fay", "payouts"), reason=" ")
    assert "Give a reason" in words(app)
    assert "See how it is now" not in labels(app)  # nothing has changed meanwhile
    assert found(app) == set()


def test_a_file_of_the_list_has_the_masks_of_the_page(town: Town) -> None:
    lived(town)
    app = visit(town, "fay", "payouts")
    mask = masked_name("Ben Okafor", town.payee_id)
    assert {row["Payee"] for row in rows_of(taken(app, "payouts.csv"))} == {mask}
    reveal(app)
    assert {row["Payee"] for row in rows_of(taken(app, "payouts.csv"))} == {"Ben Okafor"}
    town.wait(minutes=14, seconds=59)
    app.run()
    town.wait(seconds=1)  # the page still shows the name, and the file is of now
    assert {row["Payee"] for row in rows_of(taken(app, "payouts.csv"))} == {mask}


def test_the_search_finds_by_name_and_shows_masks(town: Town) -> None:
    lived(town)
    for subject, plain in (("fay", False), ("cora", False), ("ada", True)):
        app = visit(town, subject, "checks" if subject != "ada" else "disputes")
        app.button(key="search-open").click().run()
        app.text_input(key="search:words").set_value("Okafor").run()
        whole = everything(app).replace("Okafor", "", 1)  # what was typed stands in its field
        assert "Payouts" in words(app) or subject == "ada"
        assert ("Ben Okafor" in whole) == plain, subject


def test_finance_reads_a_case_by_roles_until_it_reveals_both(town: Town) -> None:
    numbers = lived(town)
    app = visit(town, "fay", "case", id=numbers["case"], tab="Messages")
    assert WROTE in words(app)
    assert "Names are masked: you see roles" in words(app)
    assert found(app) == {WROTE}
    then = visit(town, "fay", "case", id=numbers["decided"], **{asof.KEY: "true"})
    assert "You see the case as Mia Lund could see it" in words(then)
    assert found(then) == set()
    reveal(app)
    assert {"Ana", "Lindqvist"} <= found(app)
    assert "Names are masked" not in words(app)
    other = visit(town, "cora", "case", id=numbers["case"], tab="Messages")
    assert {"Ana", "Lindqvist", WROTE} <= found(other)


def test_many_revealed_are_an_alarm_on_overview_for_whoever_reads_the_log(town: Town) -> None:
    for number in range(MANY + 1):
        builders.a_party(town, "PAYER", f"Person {chr(ord('A') + number)}")
    app = visit(town, "cora", "personal_data")
    assert "Many people revealed" not in words(visit(town, "ada", "overview"))
    reveal(app)
    for subject, told in (("ada", True), ("cora", True), ("fay", False)):
        said = words(visit(town, subject, "overview"))
        assert ("Cora Nwosu revealed" in said) == told


def test_a_page_with_masks_asks_one_statement_more_for_each_reading(town: Town) -> None:
    from tests.pages.test_finance_pages import statements

    lived(town)
    visit(town, "fay", "payouts")
    with statements(town.database) as seen:
        visit(town, "fay", "payouts")
    looks = [each for each in seen if "desk.revealed" in each]
    assert (
        0 < len(looks) <= len([each for each in seen if each.lstrip().lower().startswith(("select", "with"))])
    )
