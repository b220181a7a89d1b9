"""What the pages show and let people do: risk on Holds, checklist and changes on Policy, papers on a project."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from core.actions.funding import fund
from core.actions.milestones import ratings, verification
from core.actions.risk import reports
from core.actions.staff import policy_change
from core.audit.filters import LOGS
from core.db import Database
from core.policy import Platform
from core.records import LegalSignature, Milestone, PolicyProposal, Report, RiskReview
from core.rules.permissions import Role
from core.rules.reports import ReportKind
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.downloading import taken
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", PEOPLE)
def test_everyone_sees_what_waits_and_compliance_settles_it(town: Town, subject: str) -> None:
    told = builders.funded(town)
    given = {"project_id": told.project, "milestone_id": told.milestone, "details": "I know where you live."}
    town.act(reports.file, town.payer, kind=ReportKind.THREAT, **given)
    app = visit(town, subject, "holds")
    said = "•••" if subject == "fay" else "I know where you live."
    for expected in ("Risk reviews", "Harassment or a threat was reported.", said):
        assert expected in words(app)
    assert ("Settle" in labels(app)) == (PEOPLE[subject][1] is Role.COMPLIANCE)


def test_a_report_and_its_review_are_settled_on_the_page(town: Town) -> None:
    told = builders.funded(town)
    report = town.act(
        reports.file,
        town.payer,
        project_id=told.project,
        kind=ReportKind.THREAT,
        details="I know where you live.",
    )
    app = visit(town, "cora", "holds")
    app.button(key=f"open-settle-report-{report.id}").click().run()
    app.text_area(key="report-note").input("A quotation from a film.").run()
    app.button(key="settle-report").click().run()
    assert not app.exception
    assert town.read(lambda s: s.scalars(select(Report.outcome)).all()) == ["UPHELD"]
    number = town.read(lambda s: s.scalars(select(RiskReview.id)).one())
    app.button(key=f"open-settle-review-{number}").click().run()
    app.text_area(key="review-note").input("Both have calmed down.").run()
    app.button(key="settle-review").click().run()
    assert not app.exception
    assert town.read(lambda s: s.scalars(select(RiskReview.outcome)).all()) == ["CLEARED"]
    assert "Risk reviews" not in words(visit(town, "cora", "holds"))


def test_the_policy_page_shows_who_signed_and_compliance_signs_there(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builders, "switch_payments_on", lambda town: None)
    town = builders.a_town(database)
    serve(town, tmp_path)
    assert words(visit(town, "ada", "policy")).count("Payments are off") == 2
    assert "Sign" not in labels(visit(town, "ada", "policy"))
    app = visit(town, "cora", "policy")
    app.button(key="sign-home_services-COUNSEL").click().run()
    assert app.button(key="sign-item").disabled, "not without its document"
    app.file_uploader[0].set_value(("memo.pdf", b"%PDF-1.4 memo", "application/pdf")).run()
    app.date_input(key="sign-until").set_value(date(2026, 12, 31)).run()
    app.text_input(key="sign-jurisdiction").set_value("de").run()
    app.text_area(key="sign-note").input("Memo 7.").run()
    app.button(key="sign-item").click().run()
    assert not app.exception
    row = town.read(lambda s: s.scalars(select(LegalSignature)).one())
    assert (row.item, row.jurisdiction, row.valid_until) == ("COUNSEL", "DE", date(2026, 12, 31))
    seen = words(visit(town, "mia", "policy"))
    assert all(each in seen for each in ("Cora Nwosu", "until 31 Dec 2026", "Counts"))
    assert taken(visit(town, "ada", "policy"), "memo.pdf").content == b"%PDF-1.4 memo"

    app = visit(town, "cora", "policy")
    app.button(key=f"withdraw-{row.id}").click().run()
    app.text_area(key="withdraw-reason").input("The law has changed.").run()
    app.button(key="withdraw-item").click().run()
    assert not app.exception
    assert "The law has changed." in words(visit(town, "mia", "policy"))


def test_one_administrator_proposes_on_the_page_and_another_sees_it(town: Town) -> None:
    app = visit(town, "ada", "policy")
    app.button(key="open-propose").click().run()
    app.selectbox(key="change-rule").select("dispute_window").run()
    app.text_input(key="change-value-dispute_window").input("6 days").run()
    app.text_area(key="change-reason").input("Five were too short.").run()
    app.button(key="propose-change").click().run()
    assert not app.exception
    assert town.read(lambda s: s.scalars(select(PolicyProposal.status)).all()) == ["PROPOSED"]
    shown = visit(town, "ada", "policy")
    assert "Dispute window after the notice: 5 days → 6 days" in words(shown)
    assert "Withdraw" in labels(shown)
    assert "Decide" not in labels(visit(town, "cora", "policy"))


def test_a_withdrawal_tariff_is_changed_by_its_three_parts(town: Town) -> None:
    app = visit(town, "ada", "policy")
    app.button(key="open-propose").click().run()
    app.selectbox(key="change-rule").select("instant").run()
    app.text_input(key="change-tariff-instant-0-USD").input("1.75").run()
    app.text_input(key="change-tariff-instant-2-USD").input("0.25").run()
    app.text_area(key="change-reason").input("Instant payouts cost more.").run()
    app.button(key="propose-change").click().run()
    assert not app.exception
    (snapshot,) = town.read(lambda s: s.scalars(select(PolicyProposal.snapshot)).all())
    assert (snapshot["instant"]["bps"], snapshot["instant"]["fixed"]["USD"]) == (175, 25)
    assert snapshot["instant"]["minimum"]["USD"] == 50
    assert "1.5 %, at least $0.50 → 1.75 %, at least $0.50, plus $0.25" in words(visit(town, "ada", "policy"))


def test_a_project_offers_its_receipts_and_hides_reviews_until_both_are_in(town: Town) -> None:
    told = builders.funded(town)
    shown = words(visit(town, "fay", "project", id=told.project))
    assert "Receipts and invoices" in shown
    assert "R-2026-" in shown
    wanted = select(Milestone.id).where(Milestone.project_id == told.project).order_by(Milestone.position)
    for number in town.read(lambda s: s.scalars(wanted).all()):
        if number != told.milestone:
            town.act(fund.fund, town.payer, milestone_id=number)
            builders.carry_out(town)
        town.act(verification.submit, town.payee, milestone_id=number)
        town.act(verification.approve, town.payer, milestone_id=number)
        builders.carry_out(town)
    town.act(ratings.submit, town.payer, project_id=told.project, stars=5, body="Level and on time.")
    shown = words(visit(town, "fay", "project", id=told.project))
    assert "1 of 2 are in" in shown
    assert "Level and on time." not in shown
    town.act(ratings.submit, town.payee, project_id=told.project, stars=4, body="Pays at once.")
    assert "Level and on time." in words(visit(town, "mia", "project", id=told.project))


@pytest.mark.parametrize("log", LOGS)
def test_the_audit_page_has_a_view_for_each_log(town: Town, log: str) -> None:
    builders.funded(town)
    assert "match the filters" in words(visit(town, "cora", "audit", log=log))


def test_a_proposal_of_another_is_decided_here(town: Town) -> None:
    change = {"decisions_a_day": 3}
    town.act(
        policy_change.propose,
        town.as_staff("ada"),
        platform=Platform.HOME_SERVICES,
        changes=change,
        reason="Fewer approvals.",
    )
    assert "Fewer approvals." in words(visit(town, "mia", "policy"))
