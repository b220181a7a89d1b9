"""What a page shows of people is written down before it is shown: once, by whom, and by hour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.actions.cases import conversation, evidence
from core.actions.milestones import documents, verification
from core.actions.risk import holds, reports
from core.db import Database
from core.money import Money
from core.queries import readings as read_by
from core.queries import risk
from core.records import Reading, RiskReview
from core.rules.readings import FEW, ReadingKind
from core.rules.reports import ReportKind, Severity
from dashboard import request_context
from tests import builders
from tests.builders import Told, Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.fixture
def told(town: Town) -> Told:
    return builders.in_mediation(town)


def noted(town: Town) -> set[tuple[int, str, int]]:
    found = town.read(lambda s: s.query(Reading).all())
    return {(row.staff_id, row.kind.value, row.object_id) for row in found}


def test_opening_a_case_is_recorded_and_drawing_it_again_is_not(town: Town, told: Told) -> None:
    app = visit(town, "mia", "case", id=told.case)
    assert noted(town) == {(town.staff["mia"], "CASE", told.case)}
    (row,) = town.read(lambda s: s.query(Reading).all())
    assert row.session_id is not None
    town.wait(minutes=4)
    app.run()
    assert town.read(lambda s: s.query(Reading).one()).last_at == row.last_at
    town.wait(minutes=1)
    app.run()
    assert town.read(lambda s: s.query(Reading).one()).last_at == town.now


PAGES = {
    ("mia", "case", "Messages"): {"CASE", "MESSAGES"},
    ("fay", "case", "Money"): {"CASE"},
    ("cora", "project", ""): {"PROJECT"},
    ("fay", "party_statement", ""): {"PARTY"},
    ("cora", "personal_data", ""): {"PARTY"},
    ("mia", "disputes", ""): set(),
    ("mia", "projects", ""): set(),
    ("fay", "payouts", ""): set(),
}


@pytest.mark.parametrize(("subject", "page", "tab"), PAGES)
def test_each_page_that_opens_something_of_a_person_says_so(
    town: Town, told: Told, subject: str, page: str, tab: str
) -> None:
    numbers = {"case": told.case, "project": told.project}
    asked = {"id": numbers.get(page, town.payer_id)} if PAGES[subject, page, tab] else {}
    visit(town, subject, page, **asked, **({"tab": tab} if tab else {}))
    assert {kind for who, kind, _ in noted(town) if who == town.staff[subject]} == PAGES[subject, page, tab]


def test_an_e_mail_that_is_opened_is_recorded(town: Town, told: Told) -> None:
    letter = town.read(
        lambda s: s.execute(
            text("select id from notifications where milestone_id = :m and party_id is not null limit 1"),
            {"m": told.milestone},
        ).scalar_one()
    )
    visit(town, "mia", "case", id=told.case, tab="E-mails", letter=letter)
    assert (town.staff["mia"], "EMAIL", letter) in noted(town)


def test_evidence_that_is_opened_is_recorded(town: Town, told: Told) -> None:
    store = request_context.desk().evidence
    piece = town.act(
        evidence.submit,
        town.payer,
        store=store,
        milestone_id=told.milestone,
        file_name="a.txt",
        content=b"Scratched.",
    )
    town.act(evidence.download, town.as_staff("cora"), store=store, evidence_id=piece.id)
    assert noted(town) == {(town.staff["cora"], "EVIDENCE", piece.id)}


def reported(town: Town, told: Told) -> int:
    return town.act(
        reports.file,
        town.payer,
        project_id=told.project,
        kind=ReportKind.THREAT,
        severity=Severity.SEVERE,
        details="He shouts.",
    ).id


@pytest.mark.parametrize(("subject", "sees"), [("cora", True), ("mia", True), ("fay", False)])
def test_reports_and_risk_reviews_on_holds_are_recorded_of_whoever_sees_their_words(
    town: Town, told: Told, subject: str, sees: bool
) -> None:
    report = reported(town, told)
    number = town.read(lambda s: s.query(RiskReview).filter_by(milestone_id=told.milestone).one()).id
    review = town.read(lambda s: risk.review(s, number))
    shown = words(visit(town, subject, "holds"))
    assert ("He shouts." in shown) == sees
    assert ((town.staff[subject], "REPORT", report) in noted(town)) == sees
    assert review.reasons  # shown whole, in the list
    assert [reason for reason in review.reasons if reason not in shown] == []
    assert (town.staff[subject], "RISK_REVIEW", review.id) in noted(town)


@pytest.mark.parametrize(("subject", "sees"), [("cora", True), ("fay", False)])
def test_a_late_complaint_is_masked_or_its_reading_is_recorded(town: Town, subject: str, sees: bool) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.wait(days=6)
    hold = town.act(holds.complain, town.payer, milestone_id=told.milestone, reason="It sticks badly.")
    app = visit(town, subject, "holds", id=hold.id)
    assert ("It sticks badly." in words(app)) == sees
    assert ((town.staff[subject], "HOLD", hold.id) in noted(town)) == sees


def test_a_decision_that_waits_for_a_second_person_is_read_with_its_case(town: Town) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    builders.decided(town, told)
    visit(town, "fay", "approvals", id=told.case)
    assert noted(town) == {(town.staff["fay"], "CASE", told.case)}
    town.wait(minutes=6)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="Wait.")
    assert "Wait." in words(visit(town, "fay", "approvals", id=told.case))
    assert (town.staff["fay"], "MESSAGES", told.case) in noted(town)


def test_a_document_that_is_taken_is_recorded(town: Town) -> None:
    told = builders.funded(town)
    number = town.read(
        lambda s: s.execute(
            text("select id from receipts where milestone_id = :m"), {"m": told.milestone}
        ).scalar_one()
    )
    town.act(
        documents.download, town.as_staff("fay"), settings=request_context.desk().settings, receipt_id=number
    )
    assert noted(town) == {(town.staff["fay"], "DOCUMENT", number)}


@pytest.mark.parametrize(
    ("subject", "page", "field", "masked"),
    [
        ("fay", "payouts", "q", True),
        ("cora", "projects", "q", True),
        ("cora", "personal_data", "words", True),
        ("mia", "projects", "q", False),
        ("ada", "projects", "q", False),
    ],
)
def test_whoever_finds_by_a_name_that_is_masked_is_recorded(
    town: Town, told: Told, subject: str, page: str, field: str, masked: bool
) -> None:
    reading = (town.staff[subject], "FOUND_BY_NAME", town.payer_id)
    for asked in ("Nobody Else", "an"):
        visit(town, subject, page, **{field: asked})
    assert reading not in noted(town)
    visit(town, subject, page, **{field: "ana Lindq"})
    assert (reading in noted(town)) == masked


def test_a_name_that_the_search_confirms_is_recorded_and_one_of_many_is_not(town: Town, told: Told) -> None:
    for number in range(FEW + 1):
        builders.a_party(town, "PAYER", f"Zacharias Many {number}")
    app = visit(town, "fay", "checks")
    app.button(key="search-open").click().run()
    app.text_input(key="search:words").set_value("Zacharias").run()
    app.text_input(key="search:words").set_value("W-1").run()
    assert noted(town) == set()
    app.text_input(key="search:words").set_value("Okafor").run()
    assert noted(town) == {(town.staff["fay"], "FOUND_BY_NAME", town.payee_id)}
    app = visit(town, "cora", "personal_data", id=town.payee_id)
    read = next(each.value for each in app.dataframe if "what" in each.value.columns)
    assert ("Fay Moreno", "This person, found by name") in set(zip(read["name"], read["what"], strict=True))


def test_what_was_reported_and_taken_stands_among_what_was_read_of_both(town: Town, told: Told) -> None:
    report = reported(town, told)
    visit(town, "mia", "holds")
    for party in (town.payer_id, town.payee_id):
        app = visit(town, "cora", "personal_data", id=party)
        read = next(each.value for each in app.dataframe if "what" in each.value.columns)
        assert ("Mia Lund", f"Report RP-{report}") in set(zip(read["name"], read["what"], strict=True))


@pytest.fixture
def full(owner: Database) -> Iterator[None]:
    """Nothing can be written down any more."""
    with owner.transaction() as session:
        session.execute(text("revoke insert on readings from app"))
    yield
    with owner.transaction() as session:
        session.execute(text("grant insert on readings to app"))


def test_reports_that_cannot_be_recorded_are_not_shown(town: Town, told: Told, full: None) -> None:
    reported(town, told)
    app = visit(town, "cora", "holds")
    assert "could not be recorded that you read it" in words(app)
    assert "He shouts." not in words(app)


@pytest.mark.parametrize("page", ["case", "project", "personal_data"])
def test_what_cannot_be_recorded_is_not_shown(town: Town, told: Told, full: None, page: str) -> None:
    number = {"case": told.case, "project": told.project}.get(page, town.payer_id)
    app = visit(town, "cora", page, id=number)
    assert "could not be recorded that you read it" in words(app)
    if page != "personal_data":  # its list stands beside it
        assert "Ana Lindqvist" not in words(app)
        assert "New kitchen" not in words(app)
    assert "Who read it" not in words(app)


def test_a_persons_page_says_who_read_what_is_held_about_them(town: Town, told: Told) -> None:
    visit(town, "mia", "case", id=told.case, tab="Messages")
    app = visit(town, "cora", "personal_data", id=town.payer_id)
    read = next(each.value for each in app.dataframe if "what" in each.value.columns)
    assert set(zip(read["name"], read["what"], strict=True)) == {
        ("Mia Lund", f"Messages of case D-{told.case}"),
        ("Mia Lund", f"Case D-{told.case}"),
        ("Cora Nwosu", "This person's page"),
    }


def test_the_note_names_every_kind_that_is_listed(town: Town, told: Told) -> None:
    assert set(read_by.KINDS) == set(ReadingKind)
    said = words(visit(town, "cora", "personal_data", id=town.payer_id)).lower()
    assert all(each in said for each in read_by.KINDS.values())


def test_a_hold_leads_to_who_read_what_of_its_parties(town: Town, told: Told) -> None:
    hold = town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Two faces.")
    app = visit(town, "cora", "holds", id=hold.id)
    assert {f"Who read what of the {each}" for each in ("payer", "payee")} <= {
        each.label for each in app.get("page_link")
    }
